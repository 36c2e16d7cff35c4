"""The chores, found file by file: one more file with a CHORE is one more."""
