"""Slug → Release: the release phase."""
