"""A reader of each noun gives the values that commands, and others later, show."""
