"""Snapshots have kinds, and each module that defines SNAPSHOT is one.

The lowest order that can do it is used.
"""
