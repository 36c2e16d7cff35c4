"""What a static site answers to an address: the rules that come with its files."""
