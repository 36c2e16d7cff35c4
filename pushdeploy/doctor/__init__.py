"""The doctor looks at every part of this machine, and says what to type for each that is wrong."""
