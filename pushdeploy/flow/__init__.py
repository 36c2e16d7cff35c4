"""What people ask for: deploy, promote and config changes, and how each of them goes live."""
