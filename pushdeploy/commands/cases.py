"""What commands are told and may ask for: each reader and use case, made of what it uses."""

from pushdeploy.commands.platform import Platform
from pushdeploy.flow.keys import KeyChanges
from pushdeploy.flow.lock import Locking
from pushdeploy.flow.one_off import OneOffCommands
from pushdeploy.flow.pipelines import PipelineChanges
from pushdeploy.flow.rehearse import RehearsalRequests
from pushdeploy.flow.shared_config import SharedConfig
from pushdeploy.reads.apps import AppReader
from pushdeploy.reads.disks import DiskReader
from pushdeploy.reads.pipelines import PipelineReader
from pushdeploy.reads.releases import ReleaseReader
from pushdeploy.reads.snapshots import SnapshotReader
from pushdeploy.reads.tasks import TaskReader
from pushdeploy.reads.verification import Verifier


class Reads:
    def __init__(self, platform: Platform) -> None:
        store = platform.store
        self.sites = platform.sites
        self.apps = AppReader(store, platform.locks, platform.traffic, self.sites)
        self.tasks = TaskReader(
            store, platform.scheduler, platform.manifests, platform.one_offs, platform.traffic
        )
        self.releases = ReleaseReader(store, platform.retention.engine)
        self.snapshots = SnapshotReader(store, platform.snapshots)
        self.disks = DiskReader(store, platform.disks)
        self.pipelines = PipelineReader(store, platform.refs)
        self.verifier = Verifier(store, platform.scheduler, platform.manifests, platform.locks)


class Flows:
    def __init__(self, platform: Platform) -> None:
        store = platform.store
        self.keys = KeyChanges(store)
        self.locking = Locking(store, platform.locks)
        self.one_offs = OneOffCommands(
            store, platform.scheduler, platform.manifests, platform.writers, platform.one_offs
        )
        self.pipelines = PipelineChanges(store)
        self.rehearsals = RehearsalRequests(store, platform.promoter, platform.rehearsals)
        self.shared_config = SharedConfig(store)
