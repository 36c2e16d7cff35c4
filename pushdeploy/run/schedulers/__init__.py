"""One file a scheduler; each defines ``SCHEDULER``."""
