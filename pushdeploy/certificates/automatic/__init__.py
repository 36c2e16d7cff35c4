"""Automatic certificates are asked for by ACME (RFC 8555); nothing else here speaks it."""
