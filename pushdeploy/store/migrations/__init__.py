"""Alembic's steps lead from schema to schema; as a package, every installation has them."""
