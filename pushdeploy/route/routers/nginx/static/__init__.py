"""What nginx is told of static sites: pure functions from rules to maps."""
