"""Each file or folder here is a language that builds apps, and defines LANGUAGE."""
