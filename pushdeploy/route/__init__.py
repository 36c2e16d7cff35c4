"""Tasks → HTTP: routers/ has a folder for each router; all of them need what is here."""
