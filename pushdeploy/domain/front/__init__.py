"""A person gives an app these rules for its visitors, beside its settings: one noun a file."""
