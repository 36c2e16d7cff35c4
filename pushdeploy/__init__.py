"""One machine with Docker becomes a private Heroku."""

__version__ = "0.1.0"
