"""How a disk is copied as of one moment: one file a kind."""
