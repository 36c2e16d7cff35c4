"""The routers: each defines ROUTER, which makes a Router of a ``RouterGround``."""
