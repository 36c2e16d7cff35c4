"""The apps of a pipeline that tests promote along, what a promotion comes to, and who listens."""

from threading import Event

from pushdeploy.domain.names import AppName, ImageDigest
from tests.unit.commands.machine import Client, Machine

STAGING = AppName("shop-staging")
EU = AppName("shop-eu")
NEW = ImageDigest("sha256:" + "6" * 64)


class Listener(Client):
    """Knows when it has been told all of ``texts``."""

    def __init__(self, *texts: bytes) -> None:
        super().__init__()
        self.told = Event()
        self._texts = texts

    def write(self, data: bytes) -> None:
        super().write(data)
        if all(text in self.out for text in self._texts):
            self.told.set()


def outcomes(machine: Machine, flags: str) -> list[tuple[str, str, int | None]]:
    answer = machine.type(f"pipelines:promote shop-staging {flags} --format json")
    assert answer.status == (0 if answer.json["succeeded"] else 1)
    return [(row["app"], row["outcome"], row["version"]) for row in answer.json["targets"]]
