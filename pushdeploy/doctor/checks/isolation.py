"""Whether containers are kept from this host: the rules are made true, then tried."""

from collections.abc import Iterator

from pushdeploy.build.stacks import stacks_of
from pushdeploy.doctor.check import Check, Installation
from pushdeploy.doctor.reach import has_ipv6, reached
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.finding import Finding
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.instance import read_instance
from pushdeploy.settings import Settings


def check_isolation(engine: Engine, settings: Settings) -> Finding:
    """Check from inside which places of this host containers reach."""
    engine.ensure_network()
    problems = engine.close_host()
    if problems:
        mend = "apt-get install iptables, and run pushdeploy as root"
        return Finding("isolation", False, "; ".join(problems), mend)
    stacks = stacks_of(engine, settings)
    ready = [name for name in stacks.definitions if stacks.ready(name)]
    if not ready:
        return Finding("isolation", True, "the rules are there; no stack yet to try them from")
    found = reached(engine, stacks.definition(ready[0]).run_tag)
    mend = "iptables -S; ip6tables -S  # a rule before ours lets it pass"
    held = "tried: no container reaches this host or a cloud's metadata"
    over = "IPv4 and by raw IPv6" if has_ipv6() else "IPv4; this kernel has no IPv6 to try"
    detail = "; ".join(found) or f"{held}, over {over}"
    return Finding("isolation", not found, detail, mend)


def _look(installation: Installation) -> Iterator[Finding]:
    """Nothing without a home, or where Docker is down: those are findings of others."""
    settings = installation.settings
    try:
        instance = read_instance(installation.home.root)
        engine = DockerEngine(instance, settings.docker_host, lan_closed=settings.lan_closed)
        engine.version()
    except PushdeployError:
        return
    with engine:
        try:
            yield check_isolation(engine, settings)
        except PushdeployError as error:
            yield Finding("isolation", False, error.message, error.hint)


CHECK = Check(90, _look)
