"""Users type these commands over ssh: a file holds those of one noun."""
