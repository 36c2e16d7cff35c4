"""One file a step, in the order of their numbers; written by hand and never changed afterwards."""
