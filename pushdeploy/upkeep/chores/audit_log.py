"""Shortens the audit log to the days and rows that the settings keep."""

import threading

from pushdeploy.upkeep.chore import Chore, each_round
from pushdeploy.upkeep.parts import Upkeep


def _prune(upkeep: Upkeep, stopping: threading.Event) -> None:
    del stopping
    upkeep.store.audit.prune(upkeep.settings.keep_audit_days, upkeep.settings.keep_audit_rows)


CHORE = Chore("audit log", each_round, _prune)
