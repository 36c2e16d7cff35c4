"""Looks at every real part of this machine and says what to type for each that is wrong."""

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from pushdeploy.domain.errors import BackendDown, PushdeployError
from pushdeploy.domain.finding import Finding, check_version
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.instance import Home, read_instance
from pushdeploy.listeners import Listener, listening, owners
from pushdeploy.no_room import no_room_at
from pushdeploy.output import columns
from pushdeploy.program import typed
from pushdeploy.settings import Address, Settings, load_settings

if TYPE_CHECKING:
    from pushdeploy.build.stacks import Stacks

MINIMUM_DOCKER = (20, 10)
MINIMUM_GIT = (2, 37)
MINIMUM_FREE_BYTES = 2 * 1024**3
EARLIEST_YEAR = 2025
CLOCK_SLACK_SECONDS = 300


def examine(home: Path | None) -> Sequence[Finding]:
    """Make every check in turn; settings that cannot be read leave nothing else to look at."""
    try:
        settings = load_settings(home=home) if home else load_settings()
    except PushdeployError as error:
        return [Finding("settings", False, error.message, error.hint)]
    return list(_findings(settings))


def rows(findings: Sequence[Finding]) -> list[dict[str, object]]:
    return [asdict(finding) for finding in findings]


def lines(findings: Sequence[Finding]) -> list[str]:
    """Print a line for each finding; the command to type stands under a fault."""
    heads = columns([("ok" if each.ok else " !", each.check, each.detail) for each in findings])
    shown = []
    for finding, head in zip(findings, heads, strict=True):
        shown.append(head)
        if finding.mend and not finding.ok:
            shown.append(f"       type: {typed(finding.mend)}")
    return shown


def _findings(settings: Settings) -> Iterator[Finding]:
    home = Home(settings.home)
    yield Finding("settings", True, _settings_detail(home))
    yield check_user(os.geteuid())
    yield check_home(home)
    yield _trying("instance", lambda: read_instance(home.root))
    yield _trying("database", lambda: _open_database(settings, home))
    yield _trying("host key", lambda: _read_host_key(home))
    yield check_free("disk of home", home.root, f"remove what is not needed under {home.root}")
    yield _trying("repositories", lambda: _look_at_repositories(home))
    yield _trying("disks", lambda: _look_at_disks(home))
    yield from _docker(settings)
    yield from _router(settings, home)
    yield from _ports(settings, home)
    yield check_version("git", _said("git", "--version"), MINIMUM_GIT, "apt-get install git")
    yield check_program("prlimit", shutil.which("prlimit"), "util-linux")
    yield check_program("iptables", shutil.which("iptables"), "iptables")
    yield check_clock(time.time(), _newest(home.root), _synchronised())
    yield check_ca_bundle(settings.ca_bundle)


# --------------------------------------------------------------------------- this machine


def check_user(user: int) -> Finding:
    return Finding(
        "user",
        user == 0,
        "root" if user == 0 else f"uid {user}: disks need chown and port 80 needs root",
        "sudo pushdeploy serve",
    )


def check_home(home: Home) -> Finding:
    """Check that the home exists, and that nobody else reads its secrets."""
    if not home.root.is_dir():
        return Finding("home", False, f"{home.root} is missing", _init(home))
    for path, mode in ((home.root, 0o700), (home.host_key, 0o600), (home.database, 0o600)):
        if path.exists() and (found := stat.S_IMODE(path.stat().st_mode)) & ~mode:
            detail = f"{path} has mode {found:03o}: others may read it"
            return Finding("home", False, detail, f"chmod {mode:03o} {path}")
    return Finding("home", True, str(home.root))


def check_free(check: str, path: Path, mend: str) -> Finding:
    """Check the free space of the file system that holds ``path``, or its nearest parent."""
    while not path.exists():
        path = path.parent
    lack = no_room_at(path)
    if lack is not None:
        return Finding(check, False, lack.message, lack.hint)
    free = shutil.disk_usage(path).free
    return Finding(check, free >= MINIMUM_FREE_BYTES, f"{free / 1024**3:.1f} GB free", mend)


def check_program(name: str, path: str | None, package: str) -> Finding:
    return Finding(name, path is not None, path or "missing", f"apt-get install {package}")


def check_clock(now: float, newest: float, synchronised: str) -> Finding:
    """Check the clock: a wrong one breaks certificates and the order of releases."""
    mend = "timedatectl set-ntp true"
    year = time.gmtime(now).tm_year
    if year < EARLIEST_YEAR:
        return Finding("clock", False, f"it is not {year}", mend)
    if newest > now + CLOCK_SLACK_SECONDS:
        return Finding("clock", False, "files in the home are from the future", mend)
    said = {"yes": ", synchronised", "no": ", not synchronised"}.get(synchronised, "")
    return Finding("clock", True, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)) + said)


def check_ca_bundle(path: Path | None) -> Finding:
    if path is None:
        return Finding("CA bundle", True, "the stack's own")
    readable = path.is_file() and os.access(path, os.R_OK)
    return Finding(
        "CA bundle",
        readable,
        str(path) if readable else f"{path} cannot be read",
        "set PUSHDEPLOY_CA_BUNDLE to a PEM file",
    )


def _settings_detail(home: Home) -> str:
    return str(home.settings_file) if home.settings_file.exists() else "environment and defaults"


def _newest(root: Path) -> float:
    paths = [root, *root.iterdir()] if root.is_dir() and os.access(root, os.R_OK) else []
    return max((path.lstat().st_mtime for path in paths), default=0)


def _synchronised() -> str:
    """``yes``, ``no``, or empty where systemd cannot say."""
    return _said("timedatectl", "show", "--property=NTPSynchronized", "--value") or ""


def _open_database(settings: Settings, home: Home) -> str:
    from pushdeploy.store import Store

    if settings.database is None and not home.database.exists():
        raise PushdeployError(f"{home.database} is missing", _init(home))
    if settings.database is None and not home.database.stat().st_size:
        raise PushdeployError(f"{home.database} is empty", "put a backup of it back")
    try:
        Store.open(settings.database_url).close()
    except BackendDown as error:
        hint = error.hint if "is damaged" in error.message else "start it, or restore a backup"
        raise BackendDown(error.message, hint) from error
    return settings.database_url


def _look_at_disks(home: Home) -> str:
    from pushdeploy.disks.quota import Quota

    if said := Quota(home.disks).check():
        raise PushdeployError("; ".join(said), "ssh deploy disks:list APP")
    return "sizes hold"


def _look_at_repositories(home: Home) -> str:
    from pushdeploy.receive.repositories import Repositories

    if damaged := Repositories(home.repositories).damages():
        raise PushdeployError(
            f"damaged: {', '.join(damaged[:5])}",
            "systemctl restart pushdeploy, which mends what can be mended",
        )
    return "whole"


def _read_host_key(home: Home) -> str:
    from pushdeploy.ssh.keys import fingerprint

    return fingerprint(home.host_key)


def _init(home: Home) -> str:
    return f"pushdeploy init --home {quote(str(home.root))}"


# --------------------------------------------------------------------------- Docker and nginx


def _docker(settings: Settings) -> Iterator[Finding]:
    """An engine that is down is one finding, not four."""
    from pushdeploy.engine.buildkit import find_client, places
    from pushdeploy.engine.docker import DockerEngine

    with DockerEngine("00000000", settings.docker_host) as engine:
        try:
            version = engine.version()
        except PushdeployError as error:
            yield Finding("docker", False, error.message, "systemctl start docker")
            return
        yield check_version("docker", version, MINIMUM_DOCKER, "apt-get install docker.io")
        root = _said("docker", "info", "--format", "{{.DockerRootDir}}") or "/var/lib/docker"
        yield check_free("disk of docker", Path(root), "docker image prune")
        client = find_client(places()) or "no client: Dockerfiles are built the classic way"
        yield Finding("buildkit", True, client)
        yield _stack(settings, engine)
    yield from _isolation(settings)


def _isolation(settings: Settings) -> Iterator[Finding]:
    """The rules are made true, then tried; nothing to look at before there is a home."""
    from pushdeploy.engine.docker import DockerEngine

    home = Home(settings.home)
    try:
        instance = read_instance(home.root)
    except PushdeployError:
        return  # which is a finding already
    with DockerEngine(instance, settings.docker_host, lan_closed=settings.lan_closed) as engine:
        try:
            yield check_isolation(engine, settings)
        except PushdeployError as error:
            yield Finding("isolation", False, error.message, error.hint)


def check_isolation(engine: Engine, settings: Settings) -> Finding:
    """Check from inside which places of this host containers reach."""
    from pushdeploy.isolation import has_ipv6, reached

    engine.ensure_network()
    problems = engine.close_host()
    if problems:
        mend = "apt-get install iptables, and run pushdeploy as root"
        return Finding("isolation", False, "; ".join(problems), mend)
    stacks = _stacks(engine, settings)
    ready = [name for name in stacks.definitions if stacks.ready(name)]
    if not ready:
        return Finding("isolation", True, "the rules are there; no stack yet to try them from")
    found = reached(engine, stacks.definition(ready[0]).run_tag)
    mend = "iptables -S; ip6tables -S  # a rule before ours lets it pass"
    held = "tried: no container reaches this host or a cloud's metadata"
    over = "IPv4 and by raw IPv6" if has_ipv6() else "IPv4; this kernel has no IPv6 to try"
    detail = "; ".join(found) or f"{held}, over {over}"
    return Finding("isolation", not found, detail, mend)


def _stacks(engine: Engine, settings: Settings) -> "Stacks":
    from pushdeploy.build.language import load_languages
    from pushdeploy.build.stacks import Stacks

    source, bundle = settings.stack_source, settings.ca_bundle
    return Stacks(engine, source, settings.home, bundle, load_languages())


def _stack(settings: Settings, engine: Engine) -> Finding:
    from pushdeploy.build.stack_order import NEWEST

    stacks = _stacks(engine, settings)
    wanted = list(stacks.definitions) if settings.stack == NEWEST else [settings.stack]
    ready = [stack for stack in wanted if stacks.ready(stack)]
    detail = f"{', '.join(ready)} is ready" if ready else f"{settings.stack}: none is there yet"
    return Finding(
        "stack", bool(ready), detail, f"pushdeploy stack:prepare --home {quote(str(settings.home))}"
    )


def _router(settings: Settings, home: Home) -> Iterator[Finding]:
    from pushdeploy.route.choice import RouterGround, choose_router

    try:
        yield from choose_router(RouterGround(home, settings)).examine(
            serving=_served(settings, home)
        )
    except PushdeployError as error:
        yield Finding("router", False, error.message, error.hint)


def _ports(settings: Settings, home: Home) -> Iterator[Finding]:
    named = {"ssh": settings.ssh, "http": settings.http, "https": settings.https}
    for name, address in named.items():
        if address is not None:
            yield check_port(name, address, home)


def check_port(name: str, address: Address, home: Home) -> Finding:
    """Check that the port is free, or that this home's own server or nginx holds it."""
    check = f"{name} port"
    if not listening(address.port):
        return Finding(check, True, f"{address} is free")
    strangers = [each for each in owners(address.port) if not _ours(each, home)]
    if not strangers:
        return Finding(check, True, f"{address} is served by this home")
    process = strangers[0]
    detail = f"{address} is taken by process {process.pid} ({process.command[:60]})"
    return Finding(check, False, detail, f"set PUSHDEPLOY_{name.upper()} to another host:port")


def _served(settings: Settings, home: Home) -> bool:
    return any(str(each.pid) == _server_pid(home) for each in owners(settings.ssh.port))


def _ours(listener: Listener, home: Home) -> bool:
    """The server writes its pid into the home; nginx works in a directory of it."""
    nginx = str(home.nginx.resolve())
    return str(listener.pid) == _server_pid(home) or listener.directory == nginx


def _server_pid(home: Home) -> str:
    if not home.pid_file.exists():
        return ""
    return home.pid_file.read_text(errors="replace").strip()


# --------------------------------------------------------------------------- the means


def _trying(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, True, look())
    except PushdeployError as error:
        return Finding(check, False, error.message, error.hint)
    except OSError as error:
        return Finding(check, False, str(error), "restore it from a backup")


def _said(*command: str) -> str | None:
    """The first line that a program prints, None where it is missing, fails or hangs."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return (run.stdout or run.stderr).strip().partition("\n")[0]
