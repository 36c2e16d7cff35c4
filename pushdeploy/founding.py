"""Makes a home: its directories, keys, settings and database; what exists already is kept."""

import sys
from contextlib import closing
from pathlib import Path
from textwrap import wrap

from pushdeploy.access.audit_log import AuditLog, local_user
from pushdeploy.domain.errors import UserError
from pushdeploy.instance import Home, create_instance
from pushdeploy.output import Output
from pushdeploy.settings import Settings
from pushdeploy.ssh.keys import create_host_key
from pushdeploy.store import Store
from pushdeploy.templating import Templates


def make_home(settings: Settings, output: Output) -> None:
    """Make every part of the home, closed to everybody else, and tell of each."""
    home = Home(settings.home)
    output.detail(f"instance {create_instance(home.root)}")
    _make_private(home)
    _make_host_key(home, output)
    _make_settings_file(home, settings, output)
    _make_database(home, settings)
    output.detail(f"database {settings.database_url}")


def make_unit(home: Home, path: Path, output: Output) -> None:
    """Write the systemd unit of this home, which runs this very program."""
    text = Templates(home.root).render(
        "systemd/pushdeploy.service", python=quoted(sys.executable), home=quoted(home.root)
    )
    try:
        path.write_text(text)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}", "run it as root, or give --unit-path"
        ) from error
    output.detail(f"systemd unit {path}")


def _make_private(home: Home) -> None:
    for directory in home.directories:
        directory.chmod(0o700)


def _make_host_key(home: Home, output: Output) -> None:
    if home.host_key.exists():
        output.detail(f"host key kept: {home.host_key}")
        return
    create_host_key(home.host_key)
    output.detail(f"host key made: {home.host_key}")


def _make_settings_file(home: Home, settings: Settings, output: Output) -> None:
    if home.settings_file.exists():
        output.detail(f"settings kept: {home.settings_file}")
        return
    home.settings_file.touch(0o600)
    home.settings_file.write_text(settings_text(settings))
    output.detail(f"settings made: {home.settings_file}")


def settings_text(settings: Settings) -> str:
    """Write the first pushdeploy.toml: settings that were given stand as such, others as
    comments.

    A setting without a default stands there with an example.
    """
    lines = [
        "# Settings of this pushdeploy; docs/settings.md has more on each. Remove the # before one",
        "# to change it, then: systemctl restart pushdeploy. Apps go on serving meanwhile.",
        "# The environment (PUSHDEPLOY_<NAME>) wins over this file.",
    ]
    for name, field in Settings.model_fields.items():
        if name == "home":
            continue
        value = getattr(settings, name)
        lines += [
            "",
            *wrap(str(field.description), 94, initial_indent="# ", subsequent_indent="# "),
        ]
        mark = "" if name in settings.model_fields_set and value != field.default else "# "
        [shown] = [value] if value is not None else field.examples or [""]
        lines.append(f"{mark}{name} = {_toml(shown)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _make_database(home: Home, settings: Settings) -> None:
    store = Store.open(settings.database_url)
    with closing(store), AuditLog(store.audit).act(local_user(), "pushdeploy init") as act:
        act.exit_status = 0  # a home needs nothing more
    if home.database.exists():
        home.database.chmod(0o600)


def quoted(path: object) -> str:
    """Quote as systemd.syntax(7) does in double quotes, with systemd.unit(5)'s specifiers off."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
