"""The package ``release`` turns a Slug into a Release: the release phase."""
