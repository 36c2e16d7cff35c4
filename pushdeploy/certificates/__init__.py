"""Certificates are checked before they are kept, and chosen for the hosts of apps."""
