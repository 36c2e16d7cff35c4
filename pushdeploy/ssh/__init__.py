"""The ssh server takes public keys and sessions only, and strangers cannot wear it down."""
