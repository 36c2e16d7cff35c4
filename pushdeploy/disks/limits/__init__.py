"""Disks that cannot grow past a size have a kind, and each module that defines LIMIT is one."""
