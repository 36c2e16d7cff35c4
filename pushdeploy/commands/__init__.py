"""What users type over ssh: one file a noun."""
