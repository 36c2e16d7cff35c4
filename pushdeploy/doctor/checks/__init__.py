"""The checks of the doctor, found file by file: one more file with a CHECK is one more concern."""
