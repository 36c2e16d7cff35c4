"""The face is what all commands share: how they are found, asked for, checked and answered."""
