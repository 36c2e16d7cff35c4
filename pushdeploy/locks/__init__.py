"""Who waits for whom: one noun a file, all within the one server of a home."""
