"""Locks decide who waits for whom, within the one server of a home."""
