"""Each step is a file, in the order of the numbers, written by hand and never changed later."""
