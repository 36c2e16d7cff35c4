"""Plain copies are a kind that every file system can hold."""

from pushdeploy.disks.byte_copy import copy_bytes
from pushdeploy.disks.trees import TreeSnapshots

SNAPSHOT = TreeSnapshots(
    order=20, copy_bytes=copy_bytes, can=lambda _disk, _place: True, shares_blocks=False
)
