"""An attempt: how far the server has come with the automatic certificate of one name."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from pushdeploy.domain.back_off import next_try
from pushdeploy.domain.names import HostName
from pushdeploy.domain.renewal import renewal_moment


@dataclass(frozen=True, slots=True)
class Attempt:
    """``tries`` have failed in a row, the last one at ``last_at`` with ``error``; before
    ``next_at`` there is no other. The CA itself has asked for patience until ``patience_until``.

    ``order_url`` and ``key_pem`` belong to an order that the CA of ``directory`` has and that is
    not finished. ``renew_at`` is the moment that the CA has suggested or a person has wanted, and
    before ``ask_at`` nobody asks it again.
    """

    name: HostName
    directory: str = ""
    tries: int = 0
    error: str = ""
    hint: str = ""
    last_at: datetime | None = None
    next_at: datetime | None = None
    patience_until: datetime | None = None
    order_url: str = ""
    key_pem: str = field(default="", repr=False)
    renew_at: datetime | None = None
    ask_at: datetime | None = None

    @property
    def is_under_way(self) -> bool:
        """Tell whether it has been begun and has not led to a certificate yet."""
        return bool(self.tries or self.order_url)

    def at(self, directory: str) -> "Attempt":
        """The attempt when it goes on at that CA: an order at another is of no use."""
        if self.directory == directory:
            return self
        return replace(self, directory=directory, order_url="", key_pem="", patience_until=None)

    def ordered(self, order_url: str, key_pem: str) -> "Attempt":
        """The attempt while the CA has an order for it."""
        return replace(self, order_url=order_url, key_pem=key_pem)

    def without_order(self) -> "Attempt":
        return replace(self, order_url="", key_pem="")

    def failed(
        self, error: str, hint: str, now: datetime, patience_until: datetime | None = None
    ) -> "Attempt":
        """The attempt after one more failure: the next try is a while later."""
        tries = self.tries + 1
        return replace(
            self,
            tries=tries,
            error=error,
            hint=hint,
            last_at=now,
            next_at=next_try(self.name, tries, now, patience_until),
            patience_until=patience_until,
        )

    def done(self, now: datetime) -> "Attempt":
        """The attempt when a certificate has come of it: nothing of its failures stays."""
        return Attempt(self.name, self.directory, last_at=now)

    def wanted_at_once(self, now: datetime) -> "Attempt":
        """The attempt when a person does not want to wait."""
        return replace(self, next_at=None, renew_at=now)

    def suggested(self, renew_at: datetime | None, ask_at: datetime) -> "Attempt":
        """The attempt with the word of the CA about its renewal."""
        return replace(self, renew_at=renew_at, ask_at=ask_at)

    def due_at(self, validity: tuple[datetime, datetime] | None, directory: str) -> datetime | None:
        """Give the moment of the next try, None for now.

        ``validity`` is that of the certificate that the name has, if any. One of another CA than
        that of ``directory`` is replaced like none.
        """
        if validity is None or self.is_under_way or self.directory not in {"", directory}:
            return self.next_at
        return renewal_moment(self.name, *validity, self.renew_at)
