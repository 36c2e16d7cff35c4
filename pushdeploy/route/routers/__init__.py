"""One router a file; each defines ROUTER."""
