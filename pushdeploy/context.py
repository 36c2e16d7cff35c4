"""The context: all parts of a server, grouped by concern and made once by the wiring. Commands and
pushes are given it whole; every other part takes the two or three things that it uses."""

from dataclasses import dataclass

from pushdeploy.access.gate import Gate
from pushdeploy.certificates.choice import Certificates
from pushdeploy.certificates.wishes import Wishes
from pushdeploy.disks.directories import Directories
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.flow.certificates import CertificateChanges
from pushdeploy.flow.clone import Clones
from pushdeploy.flow.configure import ConfigChanges
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.deploy import Deployer
from pushdeploy.flow.destroy import Destruction
from pushdeploy.flow.disk_care import DiskCare
from pushdeploy.flow.domains import DomainChanges
from pushdeploy.flow.front import FrontChanges
from pushdeploy.flow.keys import KeyChanges
from pushdeploy.flow.lock import Locking
from pushdeploy.flow.new_app import NewApps
from pushdeploy.flow.one_off import OneOffCommands
from pushdeploy.flow.pipelines import PipelineChanges
from pushdeploy.flow.promote import Promoter
from pushdeploy.flow.rehearse import RehearsalRequests
from pushdeploy.flow.rename import Renames
from pushdeploy.flow.renewals import Renewals
from pushdeploy.flow.restart import Restarts
from pushdeploy.flow.restore import Restores
from pushdeploy.flow.retry import Retries
from pushdeploy.flow.rollback import Rollbacks
from pushdeploy.flow.scale import Scaling
from pushdeploy.flow.settings import SettingChanges
from pushdeploy.flow.shared_config import SharedConfig
from pushdeploy.flow.snapshot import SnapshotChanges
from pushdeploy.flow.start_stop import StartStop
from pushdeploy.flow.transfers import Transfers
from pushdeploy.flow.turn import Turns
from pushdeploy.locks.apps import AppLocks
from pushdeploy.locks.one_offs import OneOffs
from pushdeploy.locks.pins import Pins
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.locks.writers import Writers
from pushdeploy.publish.publisher import Publisher
from pushdeploy.reads.apps import AppReader
from pushdeploy.reads.certificates import CertificateReader
from pushdeploy.reads.disks import DiskReader
from pushdeploy.reads.logs import LogReader
from pushdeploy.reads.outlooks import OutlookReader
from pushdeploy.reads.pipelines import PipelineReader
from pushdeploy.reads.releases import ReleaseReader
from pushdeploy.reads.snapshots import SnapshotReader
from pushdeploy.reads.tasks import TaskReader
from pushdeploy.reads.verification import Verifier
from pushdeploy.receive.repositories import Repositories
from pushdeploy.release.rehearsal import Rehearsals
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.route.sites import Sites
from pushdeploy.run.manifests import Manifests
from pushdeploy.settings import Settings
from pushdeploy.store import Store
from pushdeploy.upkeep.parts import Upkeep


@dataclass(frozen=True, slots=True)
class Locks:
    """Locks decide who waits for whom."""

    apps: AppLocks
    traffic: TrafficLocks
    writers: Writers
    one_offs: OneOffs
    pins: Pins


@dataclass(frozen=True, slots=True)
class BackEnds:
    """Git, Docker, nginx and the disks are reached through these parts."""

    repositories: Repositories
    builder: Builder
    scheduler: Scheduler
    router: Router
    manifests: Manifests
    disks: Directories
    publisher: Publisher
    sites: Sites
    certificates: Certificates
    wishes: Wishes
    snapshots: SnapshotPhase
    rehearsals: Rehearsals


@dataclass(frozen=True, slots=True)
class Flow:
    """People ask for these acts."""

    turns: Turns
    deployer: Deployer
    retries: Retries
    rollbacks: Rollbacks
    restores: Restores
    config_changes: ConfigChanges
    promoter: Promoter
    converger: Converger
    restarts: Restarts
    renames: Renames
    start_stop: StartStop
    scaling: Scaling
    rehearsals: RehearsalRequests
    new_apps: NewApps
    clones: Clones
    destruction: Destruction
    settings: SettingChanges
    domains: DomainChanges
    front: FrontChanges
    certificates: CertificateChanges
    disks: DiskCare
    snapshots: SnapshotChanges
    transfers: Transfers
    one_offs: OneOffCommands
    locking: Locking
    keys: KeyChanges
    renewals: Renewals
    pipelines: PipelineChanges
    shared_config: SharedConfig


@dataclass(frozen=True, slots=True)
class Reads:
    """People are told facts by these readers."""

    apps: AppReader
    tasks: TaskReader
    releases: ReleaseReader
    snapshots: SnapshotReader
    disks: DiskReader
    pipelines: PipelineReader
    verifier: Verifier
    logs: LogReader
    addresses: Sites
    outlooks: OutlookReader
    certificates: CertificateReader


@dataclass(frozen=True, slots=True)
class Context:
    """A context holds all parts of a server, grouped by concern."""

    settings: Settings
    store: Store
    gate: Gate
    locks: Locks
    back_ends: BackEnds
    flow: Flow
    reads: Reads
    upkeep: Upkeep
