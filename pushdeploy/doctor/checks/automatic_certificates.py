"""Whether automatic certificates come and are renewed."""

from collections.abc import Sequence
from contextlib import closing

from pushdeploy.certificates.automatic.dns_hook import DnsHook
from pushdeploy.certificates.wishes import Wishes
from pushdeploy.doctor.check import Check, Installation
from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.finding import Finding
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.reads.outlooks import OutlookReader
from pushdeploy.store import Store

_NAME = "certificates"


def check_outlooks(reader: OutlookReader) -> Sequence[Finding]:
    """One finding for each host that somebody should look at, else one that says all is well."""
    outlooks = reader.all() if reader.on else []
    wrong = [
        Finding(_NAME, False, each.warning, each.hint or "ssh deploy certs:auto")
        for each in outlooks
        if each.is_urgent
    ]
    if wrong or not reader.on:
        return wrong
    issued = sum(each.state == "issued" for each in outlooks)
    return [Finding(_NAME, True, f"{issued} hosts have an automatic one that is good")]


def _look(installation: Installation) -> Sequence[Finding]:
    """What the database lacks another check tells."""
    settings, home = installation.settings, installation.home
    if settings.tls != "auto" or (settings.database is None and not home.database.exists()):
        return []
    try:
        store = Store.open(settings.database_url)
    except BackendDown:
        return []
    with closing(store):
        hook = DnsHook(Lifecycle(home.root))
        wishes = Wishes(store, settings.domain, hook, settings.acme_ca_bundle is None)
        return check_outlooks(OutlookReader(store, wishes, on=True))


CHECK = Check(125, _look)
