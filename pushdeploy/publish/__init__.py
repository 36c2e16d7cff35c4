"""Slug → files that the router serves: folders are taken out of images once and kept by content."""
