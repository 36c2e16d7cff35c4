"""What messages call this program: a name that the reader's shell finds."""

import sys
from pathlib import Path

import pytest

from pushdeploy.program import own_name, typed

HERE = Path(sys.executable).parent


def test_the_name_alone_where_the_path_leads_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pushdeploy").symlink_to(HERE / "pushdeploy")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert own_name() == "pushdeploy"
    assert typed("pushdeploy doctor") == "pushdeploy doctor"
    assert typed("sudo pushdeploy serve") in {
        "sudo pushdeploy serve",  # where bin/setup has linked it
        f"sudo {HERE}/pushdeploy serve",
    }


@pytest.mark.parametrize("other", [True, False])
def test_the_whole_path_where_it_leads_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, other: bool
) -> None:
    if other:
        (tmp_path / "pushdeploy").write_text("#!/bin/sh\n")
        (tmp_path / "pushdeploy").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    name = str(HERE / "pushdeploy")
    assert typed("start it:  pushdeploy serve") == f"start it:  {name} serve"
    assert typed("systemctl restart pushdeploy") == "systemctl restart pushdeploy"
    assert typed("ls /var/lib/pushdeploy x") == "ls /var/lib/pushdeploy x"
