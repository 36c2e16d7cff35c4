"""This package makes one machine with Docker a private Heroku."""

__version__ = "0.1.0"
