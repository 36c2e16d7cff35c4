"""What the process that works on disks does there, told by what it asks of the system."""

import json
import os
import subprocess
import sys
from pathlib import Path

LISTED = """
import sys
listed = []

def note(event, arguments):
    if event == "os.listdir" and isinstance(arguments[0], int):
        listed.append(event)

sys.addaudithook(note)
from pushdeploy.disks.copier import main
main()
print(len(listed), file=sys.stderr)
"""
"""Does the job on stdin; then how many directories were listed by a descriptor, on stderr."""


def test_the_room_that_a_snapshot_needs_takes_one_look_at_each_directory(tmp_path: Path) -> None:
    disk, place = tmp_path / "disk", tmp_path / "snapshot"
    (disk / "below").mkdir(parents=True)
    place.mkdir()
    (disk / "below" / "orders").write_bytes(bytes(100_000))
    job = {"do": "room", "place": str(place), "disks": {"data": str(disk)}, "server": os.getpid()}

    done = subprocess.run(
        [sys.executable, "-c", LISTED],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
    )

    found = json.loads(done.stdout.splitlines()[-1])["result"]
    assert found["files"] == 2
    assert found["needed"] == 0 or found["needed"] >= 100_000, "0 where blocks are shared"
    assert int(done.stderr) == 2
