"""Plain copies, which every file system can hold."""

from pushdeploy.disks.pouring import pour
from pushdeploy.disks.trees import TreeSnapshots

SNAPSHOT = TreeSnapshots(order=20, fill=pour, can=lambda _disk, _place: True, shares_blocks=False)
