"""Kinds of disks that cannot grow past a size, one file each: a module that defines LIMIT."""
