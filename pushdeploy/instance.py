"""A home holds everything of one server, and the id that sets its containers apart."""

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.domain.errors import BackendDown, UserError

_INSTANCE = re.compile(r"[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Home:
    """A home has these paths, and nobody else joins them."""

    root: Path

    @property
    def settings_file(self) -> Path:
        return self.root / "pushdeploy.toml"

    @property
    def instance_file(self) -> Path:
        return self.root / "instance"

    @property
    def database(self) -> Path:
        return self.root / "pushdeploy.sqlite3"

    @property
    def host_key(self) -> Path:
        return self.root / "ssh_host_ed25519_key"

    @property
    def repositories(self) -> Path:
        return self.root / "repositories"

    @property
    def disks(self) -> Path:
        return self.root / "disks"

    @property
    def snapshots(self) -> Path:
        """Return the directory on the disks' file system, so that copies may share blocks."""
        return self.root / "snapshots"

    @property
    def rehearsals(self) -> Path:
        """Return the directory for copies of disks while something is tried out on them."""
        return self.root / "rehearsals"

    @property
    def accounts(self) -> Path:
        """Return the directory of files that give the users of apps a name in their containers."""
        return self.root / "accounts"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def nginx(self) -> Path:
        return self.root / "nginx"

    @property
    def chore_runs(self) -> Path:
        """Tells how the server's chores went the last time."""
        return self.root / "upkeep.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pid_file(self) -> Path:
        """Return the file that the one ``serve`` of this home locks and writes."""
        return self.root / "serve.lock"

    @property
    def directories(self) -> tuple[Path, ...]:
        """Return the directories that ``init`` makes, the root first, without nginx's own."""
        return (
            self.root,
            self.repositories,
            self.disks,
            self.snapshots,
            self.cache,
            self.logs,
        )


def create_instance(root: Path) -> str:
    """Make the home's directories (0700) and its instance id; what exists already stays."""
    home = Home(root)
    try:
        for directory in home.directories:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not home.instance_file.exists():
            home.instance_file.write_text(secrets.token_hex(4) + "\n")
    except OSError as error:
        raise UserError(
            f"{root} cannot be made: {error.strerror}", "run it as root, or choose another --home"
        ) from error
    return read_instance(root)


def read_instance(root: Path) -> str:
    """Return the 8 hexadecimal digits that name and label whatever this server makes."""
    path = Home(root).instance_file
    try:
        text = path.read_text(errors="replace").strip()
    except FileNotFoundError as error:
        raise UserError(
            f"{root} is not the home of a pushdeploy", f"pushdeploy init --home {root}"
        ) from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "run it as root") from error
    if not _INSTANCE.fullmatch(text):
        raise UserError(
            f"{path} does not hold an instance id",
            "put back the 8 hexadecimal digits that its containers' labels carry",
        )
    return text


def refuse_without_database(home: Home) -> None:
    """Raise ``BackendDown`` for a home whose database is gone or empty.

    An empty one in place of a lost one would take every app for one that is unwanted.
    """
    if not home.database.exists():
        raise BackendDown(
            f"{home.database} is missing",
            "put it back, or mount its disk; for a new and empty home:  pushdeploy init",
        )
    if not home.database.stat().st_size:
        raise BackendDown(
            f"{home.database} is empty: it knows no app",
            "put a backup of it back; if there never was an app:  remove it and pushdeploy init",
        )
