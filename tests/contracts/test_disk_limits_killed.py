"""A server that is killed while a disk gets its limit leaves the data whole."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pushdeploy.disks.programs import found
from tests.contracts.limited import DATA, MIB, SHOP, Machine

KILLS = [
    ("btrfs", 32 * MIB, "btrfs", 1),
    ("btrfs", 32 * MIB, "btrfs", 3),
    ("btrfs", 32 * MIB, "cp", 1),
    ("btrfs", 32 * MIB, "rm", 1),
    ("loopfile", 32 * MIB, "mkfs.ext4", 1),
    ("loopfile", 32 * MIB, "mount", 1),
    ("loopfile", 32 * MIB, "cp", 1),
    ("loopfile", 32 * MIB, "umount", 1),
    ("loopfile", 32 * MIB, "rm", 1),
    ("loopfile", 32 * MIB, "mount", 2),
    ("loopfile", None, "cp", 1),
    ("loopfile", None, "umount", 1),
    ("loopfile", None, "rm", 1),
]
"""A kind, the size to get, and at which call of which program the server is killed."""


@pytest.mark.parametrize(("machine", "wanted", "program", "call"), KILLS, indirect=["machine"])
def test_kill_in_a_conversion_leaves_the_data_whole(
    machine: Machine, tmp_path: Path, wanted: int | None, program: str, call: int
) -> None:
    machine.make(None if wanted else 32 * MIB, note="kept", other="x" * 100_000)

    killed_in(machine, tmp_path, program, call, wanted)

    machine.boot()
    disks = machine.disks
    disks.quota.ensure_all()
    assert (machine.path / "note").read_text() == "kept"
    assert (machine.path / "other").read_text() == "x" * 100_000
    assert machine.path.stat().st_uid == SHOP.uid
    assert {each.name for each in machine.path.parent.iterdir()} <= {"data", ".data.ext4"}
    disks.quota.set_limit(SHOP.name, DATA, wanted)
    assert disks.quota.limit_of(SHOP.name, DATA) == wanted
    assert (machine.path / "note").read_text() == "kept"


def test_kill_between_the_last_two_renames_puts_the_data_back(machine: Machine) -> None:
    machine.make(note="kept")
    machine.path.rename(machine.path.with_name(".data.spare"))
    machine.path.with_name(".data.making").mkdir()
    assert machine.disks.ensure(SHOP, DATA) == machine.path
    assert (machine.path / "note").read_text() == "kept"
    machine.disks.quota.ensure_all()
    assert {each.name for each in machine.path.parent.iterdir()} == {"data"}


def killed_in(
    machine: Machine, tmp_path: Path, program: str, call: int, wanted: int | None
) -> None:
    """Run the conversion in a process that dies when the program runs for that time."""
    place = tmp_path / "bin"
    place.mkdir()
    real = found(program)
    if real is None:
        pytest.skip(f"{program} is missing")
    script = place / program
    script.write_text(
        f"#!/bin/sh\necho >>{place}/calls\n"
        f'if [ "$(wc -l <{place}/calls)" = {call} ]; then\n'
        f'    [ {program} = cp ] && {real} "${{4%.}}note" "$5"\n'
        f'    kill -9 $PPID; exit 1\nfi\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    convert = (
        "import sys; from pathlib import Path\n"
        "from pushdeploy.disks.directories import Directories\n"
        "size = int(sys.argv[2]) or None\n"
        "Directories(Path(sys.argv[1])).quota.set_limit('shop', 'data', size)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", convert, str(machine.root), str(wanted or 0)],
        env={**os.environ, "PATH": f"{place}:{os.environ['PATH']}"},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
