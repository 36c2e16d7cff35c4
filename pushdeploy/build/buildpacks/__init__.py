"""One file for each kind of app; each defines BUILDPACK. To add a language, write a file here."""
