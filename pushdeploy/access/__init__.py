"""A rule decides about permissions, and the audit log remembers who did what."""
