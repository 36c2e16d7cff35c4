"""Pure functions turn the rules of static sites into maps of nginx."""
