"""What all commands share: how they are found, asked for, checked, read and answered."""
