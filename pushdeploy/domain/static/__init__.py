"""The rules that come with its files say what a static site answers to an address."""
