"""Whether certificates last, and whether their keys are the workers' alone."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

from pushdeploy.certificates.choice import hosts_of_apps
from pushdeploy.doctor.check import Check, Installation
from pushdeploy.domain.certificate import served
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.finding import Finding
from pushdeploy.reads.certificates import warnings_of
from pushdeploy.store import Store

_NAME = "certificates"


def _look(installation: Installation) -> Iterator[Finding]:
    settings, now = installation.settings, datetime.now(UTC)
    if settings.https_address is None:
        return
    try:
        with closing(Store.open(settings.database_url)) as store:
            hosts = hosts_of_apps(store, settings.domain)
            found = served(hosts, store.certificates.list(), now)
    except PushdeployError as error:
        yield Finding(_NAME, False, error.message, error.hint)
        return
    warnings = warnings_of(found, now, settings.tls == "auto")
    for said in warnings:
        yield Finding(_NAME, False, said, "certs:list shows all; certs:add takes a new one")
    if not warnings:
        own = sum(1 for each in found if each.certificate)
        yield Finding(_NAME, True, f"{own} of {len(found)} hosts have one; none ends soon")


CHECK = Check(115, _look)
