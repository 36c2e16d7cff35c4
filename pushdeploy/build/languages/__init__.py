"""What builds an app: a file or a folder for each language; each defines LANGUAGE."""
