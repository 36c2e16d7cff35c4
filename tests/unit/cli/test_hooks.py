"""The lifecycle scripts that ship: what they keep, and when they refuse."""

import subprocess
import threading
import time
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Cancelled, PushdeployError
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.output import Output
from pushdeploy.resources import shipped


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    return tmp_path


def events(home: Path) -> list[str]:
    return (home / "logs" / "events.log").read_text().splitlines()


@pytest.mark.parametrize("event", ["pre-build", "release", "post-deploy", "post-receive"])
def test_every_hook_is_plain_sh(event: str) -> None:
    path = shipped("hooks") / event
    assert path.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["/bin/sh", "-n", str(path)], check=True)


def test_a_build_begins_when_there_is_room(home: Path) -> None:
    lines: list[str] = []
    Lifecycle(home).run("pre-build", {"APP": "blog"}, Output(lines.append))
    assert lines == []


def test_a_build_is_refused_when_the_disk_is_full(home: Path, tmp_path: Path) -> None:
    script = (shipped("hooks") / "pre-build").read_text()
    own = home / "hooks" / "pre-build"
    own.parent.mkdir()
    own.write_text(script.replace("=262144", "=999999999999"))
    lines: list[str] = []
    with pytest.raises(PushdeployError, match="exit code 1"):
        Lifecycle(home).run("pre-build", {"APP": "blog"}, Output(lines.append))
    assert "MB are free" in lines[0]


def test_deploys_and_moved_refs_are_kept_one_a_line(home: Path) -> None:
    output = Output()
    moved = {"APP": "blog", "REF": "refs/heads/main", "OLD": "0" * 40, "NEW": "1" * 40, "BY": "ada"}
    live = {"APP": "blog", "RELEASE_VERSION": "v3", "SLUG_COMMIT": "1" * 40, "BY": "ada"}
    Lifecycle(home).run("post-deploy", live, output)
    Lifecycle(home).run("post-receive", moved, output)
    first, second = events(home)
    assert first.endswith(f"blog v3 is live: commit {'1' * 40} by ada")
    assert second.endswith(f"from {'0' * 40} to {'1' * 40} by ada")


def test_facts_are_data_and_never_run(home: Path) -> None:
    live = {
        "APP": "blog",
        "RELEASE_VERSION": "v3",
        "SLUG_COMMIT": "$(touch owned) %s",
        "BY": "`id`",
    }
    Lifecycle(home).run("post-deploy", live, Output())
    assert events(home)[0].endswith("commit $(touch owned) %s by `id`")
    assert not (home / "owned").exists()


def test_a_cancelled_hook_is_killed_with_its_children_regression(home: Path) -> None:
    own = home / "hooks" / "pre-build"
    own.parent.mkdir()
    own.write_text("mkfifo begun\nsleep 3600 &\necho > begun\nwait\n")
    cancellation = Cancellation()

    def cancel() -> None:
        while not (home / "begun").exists():
            time.sleep(0.01)
        (home / "begun").read_text()
        cancellation.cancel("the client has gone")

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(Cancelled, match="the client has gone"):
        Lifecycle(home).run("pre-build", {"APP": "blog"}, Output(), cancellation)
    canceller.join()
