"""Wishes: which names want an automatic certificate, and what they have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pushdeploy.certificates.automatic.dns_hook import DnsHook
from pushdeploy.certificates.choice import hosts_of_apps
from pushdeploy.domain.automatic import Means, is_wild, unfit, wanted_names, without_covered
from pushdeploy.domain.certificate import Certificate, Pem, covers
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.site import default_host
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Wishes:
    """``domain`` is the server's own; ``public``: the authority is one of the internet."""

    store: Store
    domain: str
    dns_hook: DnsHook
    public: bool

    def wanted(self) -> Mapping[HostName, AppName | None]:
        """Each name that wants one, with its app; None for the wildcard of all default hosts."""
        certificates, now = self.store.certificates.list(), datetime.now(UTC)
        own = [each for each in certificates if each.kind == "own" and each.is_good(now)]
        wanted = wanted_names(
            self.hosts(),
            self.domain,
            lambda app, host: any(each.serves(app, host) for each in own),
            self._means,
        )
        return without_covered(wanted, self._hopeless(now))

    def unfit(self, name: HostName) -> str:
        """Say why no authority would give a certificate for the name; empty where one may."""
        return unfit(name, self._means)

    def present(self) -> Mapping[HostName, Certificate]:
        """The automatic certificate of each name that has one."""
        found = [each for each in self.store.certificates.list() if each.kind == "acme"]
        return {
            HostName(each.names[0]): each for each in sorted(found, key=lambda each: each.not_after)
        }

    def left_over(self) -> Sequence[Certificate]:
        """List the automatic certificates whose name covers no host of any app any more."""
        given = hosts_of_apps(self.store, self.domain)
        hosts = [host for each in given.values() for host in each]
        known = {*hosts, *(f"*.{host.partition('.')[2]}" for host in hosts)}
        return [each for each in self.present().values() if each.names[0] not in known]

    def present_pem(self, name: HostName) -> Pem | None:
        present = self.present().get(name)
        return self.store.certificates.pems([present.id]).get(present.id) if present else None

    def wanted_for(self, hosts: Sequence[HostName]) -> Sequence[HostName]:
        """The names whose automatic certificates are or would be shown to visitors of these."""
        return [name for name in self.wanted() if any(covers(name, host) for host in hosts)]

    def why_none(self, hosts: Sequence[HostName]) -> tuple[str, str]:
        """Say why none of them wants one, and what to do."""
        reasons = {host: self.unfit(host) for host in hosts}
        told = [
            f"{host} gets no certificate by itself: {why}" for host, why in reasons.items() if why
        ]
        if told:
            return "; ".join(told), "certs:add takes one of your own"
        if not any(host in each for each in self.hosts().values() for host in hosts):
            return f"{', '.join(hosts)} is no host of an app", "domains:add gives one to an app"
        return f"{', '.join(hosts)} has a certificate of its own", "certs:auto shows all"

    @property
    def _means(self) -> Means:
        return Means(wildcards=self.dns_hook.is_there, public=self.public)

    def hosts(self) -> Mapping[AppName, Sequence[HostName]]:
        """The hosts of apps that are or have been live, and those that people have given apps."""
        given = self.store.domains.all()
        return {
            app.name: [
                *([default_host(app.name, self.domain)] if app.current_version else []),
                *given.get(app.name, ()),
            ]
            for app in self.store.apps.list()
        }

    def _hopeless(self, now: datetime) -> Sequence[HostName]:
        """Wildcards that have failed, and that there is no certificate for: nobody waits for
        them."""
        present = self.present()
        return [
            name
            for name, attempt in self.store.attempts.all().items()
            if is_wild(name)
            and attempt.tries
            and not (name in present and present[name].is_good(now))
        ]
