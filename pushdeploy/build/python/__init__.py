"""What the python buildpack knows: versions, dependency files, Django."""
