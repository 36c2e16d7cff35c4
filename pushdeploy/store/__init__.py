"""The database, which holds what is wanted and what happened, is used in this package only."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Self

from pushdeploy.domain.damage import Damage
from pushdeploy.store.acme_accounts import AcmeAccounts
from pushdeploy.store.apps import Apps
from pushdeploy.store.attempts import Attempts
from pushdeploy.store.audit import Audit, AuditEntry, AuditState
from pushdeploy.store.certificates import Certificates
from pushdeploy.store.config import Config
from pushdeploy.store.damage import damage_of
from pushdeploy.store.database import Database
from pushdeploy.store.disks import Disks
from pushdeploy.store.domains import Domains
from pushdeploy.store.keys import Keys
from pushdeploy.store.meta import Meta
from pushdeploy.store.pipelines import Pipelines
from pushdeploy.store.recorder import OutputRecorder
from pushdeploy.store.releases import Releases
from pushdeploy.store.slugs import Slugs
from pushdeploy.store.snapshots import Snapshots
from pushdeploy.store.upgrade import upgrade

__all__ = ["AuditEntry", "AuditState", "OutputRecorder", "Store"]


class Store:
    """Every change is one short transaction of its own. Thread-safe.

    Any trouble with the database itself is raised as ``BackendDown``.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.apps = Apps(database)
        self.config = Config(database)
        self.domains = Domains(database)
        self.certificates = Certificates(database)
        self.keys = Keys(database)
        self.disks = Disks(database)
        self.slugs = Slugs(database)
        self.snapshots = Snapshots(database)
        self.releases = Releases(database)
        self.pipelines = Pipelines(database)
        self.attempts = Attempts(database)
        self.acme_accounts = AcmeAccounts(database)
        self.audit = Audit(database)
        self.meta = Meta(database)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the store at an SQLAlchemy URL; its schema is made or brought up to date."""
        with ExitStack() as undo:
            database = Database(url)
            undo.callback(database.close)
            upgrade(database)
            undo.pop_all()
        return cls(database)

    def damage(self) -> Sequence[Damage]:
        """List what cannot be read of apps, their live releases, snapshots and pipelines."""
        with self._database.reading() as connection:
            return list(damage_of(connection))

    def close(self) -> None:
        self._database.close()
