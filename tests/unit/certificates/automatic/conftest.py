"""A real certificate authority, and who orders there."""

from tests.ordering import address, customer, front, pebble, router, running

__all__ = ["address", "customer", "front", "pebble", "router", "running"]
