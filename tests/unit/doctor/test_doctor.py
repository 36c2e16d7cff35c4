"""The doctor: each check on what it is meant to find, with the command that mends it."""

import os
import shlex
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pushdeploy.doctor.check import Check, Installation
from pushdeploy.doctor.checks import published, router, scheduler
from pushdeploy.doctor.checks.ca_bundle import check_ca_bundle
from pushdeploy.doctor.checks.clock import check_clock
from pushdeploy.doctor.checks.home import check_home
from pushdeploy.doctor.checks.ports import check_port
from pushdeploy.doctor.checks.upkeep import check_upkeep
from pushdeploy.doctor.examination import examine
from pushdeploy.doctor.machine import check_free
from pushdeploy.doctor.report import lines, rows
from pushdeploy.domain.chore_run import ChoreRun
from pushdeploy.domain.finding import Finding
from pushdeploy.domain.names import ImageDigest
from pushdeploy.instance import Home, create_instance
from pushdeploy.listeners import inodes_of, listening, owners
from pushdeploy.publish.taking_out import take_out
from pushdeploy.publish.trees import Trees
from pushdeploy.settings import Address, load_settings
from tests.unit.publish.test_taking_out import archive, file


@pytest.fixture
def home(tmp_path: Path) -> Home:
    create_instance(tmp_path / "home")
    return Home(tmp_path / "home")


def of(home: Home) -> Installation:
    return Installation(load_settings(home=home.root), home)


def test_files_of_static_sites_are_looked_at(home: Home) -> None:
    trees = Trees(home.nginx)

    def found() -> list[Finding]:
        return list(published.CHECK.look(of(home)))

    assert found() == [Finding("static files", True, "none is published")]
    image = ImageDigest("sha256:" + "1" * 64)
    page = archive(file("public/index.html"))
    digest, _ = trees.add(image, "/app/public", lambda at: take_out(page, "/app/public", at))
    assert found() == [Finding("static files", True, "1 published, all whole")]
    (trees.files(digest) / "index.html").write_text("other")
    (finding,) = found()
    assert not finding.ok
    assert "'index.html' of the published files" in finding.detail
    assert "systemctl restart pushdeploy" in finding.mend


def test_a_missing_home_is_mended_by_init(tmp_path: Path) -> None:
    finding = check_home(of(Home(tmp_path / "home")))
    assert not finding.ok
    assert finding.mend.startswith("pushdeploy init --home ")


@pytest.mark.parametrize("name", ["root", "host_key", "database"])
def test_what_others_may_read_is_found_and_the_mend_works(home: Home, name: str) -> None:
    path: Path = getattr(home, name)
    if name != "root":
        path.touch()
    path.chmod(0o755)
    finding = check_home(of(home))
    assert not finding.ok
    words = shlex.split(finding.mend)
    assert words[0] == "chmod"
    Path(words[2]).chmod(int(words[1], 8))
    assert check_home(of(home)).ok


def test_a_clock_that_is_wrong_is_found() -> None:
    now = 1_800_000_000.0
    assert check_clock(now, now - 60, "yes").detail.endswith(", synchronised")
    assert not check_clock(now, now + 3600, "").ok
    assert not check_clock(86400.0, 0, "").ok


def test_free_space_is_that_of_the_nearest_parent(tmp_path: Path) -> None:
    missing = tmp_path / "not" / "yet"
    assert check_free("disk", missing, "").detail.endswith("GB free")


def test_a_ca_bundle_must_be_there(tmp_path: Path) -> None:
    assert check_ca_bundle(None).ok
    finding = check_ca_bundle(tmp_path / "ca.pem")
    assert not finding.ok
    assert "PUSHDEPLOY_CA_BUNDLE" in finding.mend


def test_a_port_taken_by_a_stranger_names_the_process(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        finding = check_port("ssh", Address("127.0.0.1", port), home)
        assert not finding.ok
        assert f"process {os.getpid()}" in finding.detail
        assert "PUSHDEPLOY_SSH" in finding.mend
    assert check_port("ssh", Address("127.0.0.1", port), home).ok


def test_a_port_held_by_this_homes_server_is_fine(home: Home) -> None:
    home.pid_file.write_text(f"{os.getpid()}\n")
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        assert check_port("ssh", Address("127.0.0.1", port), home).ok


def test_listeners_are_seen_on_ipv6_too() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        assert listening(port)
        assert [each.pid for each in owners(port)] == [os.getpid()]


def test_a_connection_to_a_port_is_no_listener() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 111\n"
        "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  0 0 222\n"
    )
    assert inodes_of(table, 0x1F90) == {"111"}


def test_what_is_wrong_is_followed_by_what_to_type() -> None:
    findings = [
        Finding("git", True, "2.39.5", "apt-get install git"),
        Finding("clock", False, "it is not 1970", "timedatectl set-ntp true"),
    ]
    assert lines(findings) == [
        "ok  git    2.39.5",
        " !  clock  it is not 1970",
        "       type: timedatectl set-ntp true",
    ]
    assert rows(findings)[1] == {
        "check": "clock",
        "ok": False,
        "detail": "it is not 1970",
        "mend": "timedatectl set-ntp true",
    }


def test_settings_that_cannot_be_read_are_the_only_finding(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PUSHDEPLOY_BUILD_CPUS", "all")
    findings = examine(tmp_path)
    assert [finding.ok for finding in findings] == [False]
    assert "PUSHDEPLOY_BUILD_CPUS" in findings[0].detail


@pytest.mark.parametrize(
    ("kind", "check"), [("scheduler", scheduler.CHECK), ("router", router.CHECK)]
)
def test_a_back_end_that_does_not_exist_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, home: Home, kind: str, check: Check
) -> None:
    monkeypatch.setenv(f"PUSHDEPLOY_{kind.upper()}", "abacus")
    [finding] = check.look(of(home))
    assert (finding.check, finding.ok) == (kind, False)
    assert "abacus" in finding.detail


def test_a_damaged_home_is_findings_and_no_traceback_regression(home: Home) -> None:
    home.database.write_bytes(b"garbage" * 1000)
    home.database.chmod(0o600)
    nginx = home.root / "nginx"
    nginx.write_text("a file where a directory should be")

    findings = {finding.check: finding for finding in examine(home.root)}

    assert "not a database" in findings["database"].detail
    assert "backup" in findings["database"].mend
    assert "nginx" in findings


def test_chores_that_fail_or_hang_are_told_and_none_is_missed_where_no_server_runs() -> None:
    now = datetime.now(UTC)
    good = ChoreRun("router", "all the time", True, "running", now - timedelta(days=9))
    bad = ChoreRun("leftovers", "every 3600 s", False, "failed", now, 1, "Docker is down")
    hanging = ChoreRun("host rules", "every 60 s", False, "running", now - timedelta(hours=2))
    assert check_upkeep([good], serving=True).ok
    assert check_upkeep([good, bad, hanging], serving=False).ok
    finding = check_upkeep([good, bad, hanging], serving=True)
    assert not finding.ok
    assert finding.detail.startswith("leftovers: Docker is down; host rules hangs since ")
    assert finding.mend == "ssh deploy upkeep:list"
