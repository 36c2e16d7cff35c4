"""An app that has had two versions, the newer of which is live."""

from pushdeploy.domain.names import ImageDigest
from tests.unit.commands.machine import Machine

OLD = ImageDigest("sha256:" + "1" * 64)
NEW = ImageDigest("sha256:" + "2" * 64)


def two_versions(machine: Machine) -> None:
    machine.live(image=OLD, key="old")
    machine.live(image=NEW, key="new")
