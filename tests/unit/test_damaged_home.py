"""Every file that a home keeps, damaged in every way: mended, or named with what to do about it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pushdeploy.disks.index import Index
from pushdeploy.doctor.examination import examine
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.task import Slot
from pushdeploy.instance import Home, create_instance, read_instance
from pushdeploy.run.logbook import Logbook
from pushdeploy.settings import load_settings
from pushdeploy.ssh.keys import create_host_key, load_host_key
from pushdeploy.store import Store
from pushdeploy.wiring import Wiring

SHOP = AppName("shop")
WEB = Slot(ProcessType("web"), 1)
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "garbage": lambda content: bytes(range(256)) * 3 + content[:20],
    "zeros": lambda content: bytes(len(content)),
}

NAMED = ("pushdeploy.toml", "instance", "ssh_host_ed25519_key", "pushdeploy.sqlite3")
"""Nobody can make these up: a start that names the file and what to do is what is right."""

MADE_AGAIN = ("serve.lock", "pushdeploy.sqlite3-wal", "pushdeploy.sqlite3-shm")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    create_instance(home.root)
    create_host_key(home.host_key)
    home.settings_file.write_text('domain = "apps.test"\nhttp = "127.0.0.1:8080"\n')
    home.pid_file.write_text("4711\n")
    with_an_app(home)
    return home


def with_an_app(home: Home) -> None:
    store = Store.open(f"sqlite:///{home.database}")
    if store.apps.find(SHOP) is None:
        store.apps.create(SHOP)
    store.close()


def started(home: Home) -> list[AppName]:
    """What ``serve`` reads before it does anything: the apps that it finds."""
    settings = load_settings(home=home.root)
    instance = read_instance(home.root)
    Wiring(settings, home, instance)
    load_host_key(home.host_key)
    store = Store.open(settings.database_url)
    try:
        return [app.name for app in store.apps.list()]
    finally:
        store.close()


def attempted(home: Home) -> tuple[list[AppName], PushdeployError | None]:
    """No other error than ours."""
    try:
        return started(home), None
    except PushdeployError as error:
        return [], error


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [*NAMED, *MADE_AGAIN])
def test_a_start_goes_well_or_names_the_file(home: Home, name: str, damage: str) -> None:
    path = home.root / name
    before = path.read_bytes() if path.exists() else bytes(4096)
    path.write_bytes(DAMAGE[damage](before))
    apps, error = attempted(home)
    if error is None:
        # A settings file that is empty is one without settings.
        assert name in MADE_AGAIN or name == "pushdeploy.toml"
        assert apps == [SHOP]
        return
    assert name in NAMED, error
    assert name in f"{error.message} {error.hint}", error
    assert error.hint


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [*NAMED, *MADE_AGAIN])
def test_the_doctor_looks_at_all_of_them(
    home: Home, name: str, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUSHDEPLOY_DOCKER_HOST", f"unix://{home.root}/no.sock")  # not its subject
    path = home.root / name
    before = path.read_bytes() if path.exists() else bytes(4096)
    path.write_bytes(DAMAGE[damage](before))
    findings = examine(home.root)
    if name in NAMED and (name != "pushdeploy.toml" or damage != "cut off"):  # half is some
        told = " ".join(f"{each.detail} {each.mend}" for each in findings if not each.ok)
        assert name in told


@pytest.mark.parametrize("damage", DAMAGE)
def test_kept_log_lines_that_cannot_be_read_are_left_out(tmp_path: Path, damage: str) -> None:
    logbook = Logbook(tmp_path)
    logbook.keep(SHOP, WEB, 1, "c" * 12, [LogLine(AT, 1, f"line {n}") for n in range(10)])
    [path] = (tmp_path / "shop").iterdir()
    path.write_bytes(DAMAGE[damage](path.read_bytes()) + b"\n" + b"2026 no moment\n")
    assert len(logbook.read(SHOP, None, 100)) <= 10


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_index_of_a_snapshot_that_cannot_be_read_vouches_for_nothing(
    tmp_path: Path, damage: str
) -> None:
    tree = tmp_path / "data"
    Index({}, 5).write(tree)
    [path] = tmp_path.iterdir()
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    assert Index.read(tree).files == {}
