"""One kind of snapshot a file; each defines SNAPSHOT. The lowest order that can do it is used."""
