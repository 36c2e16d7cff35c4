"""Source → Slug: an image with the app's code, what it depends on, and no configuration."""
