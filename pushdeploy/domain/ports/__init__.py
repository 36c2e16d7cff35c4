"""The ports: each file says in one protocol what a back-end of its kind must offer."""
