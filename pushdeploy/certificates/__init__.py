"""Certificates are got or checked before they are kept, and chosen for the hosts of apps."""
