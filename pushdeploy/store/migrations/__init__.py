"""Alembic's steps from schema to schema; a package, so that every installation has them."""
