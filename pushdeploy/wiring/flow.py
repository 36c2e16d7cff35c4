"""The flow: what people ask for, made of what makes apps follow the ledger."""

from dataclasses import dataclass

from pushdeploy.context import BackEnds, Flow
from pushdeploy.domain.ports.errands import Errands
from pushdeploy.flow.after_live import AfterLive
from pushdeploy.flow.attach import DiskChanges
from pushdeploy.flow.building import Building
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.certificates import CertificateChanges
from pushdeploy.flow.clone import Clones
from pushdeploy.flow.configure import ConfigChanges
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.cutover import CutOvers, Exclusive, Overlap
from pushdeploy.flow.deploy import Deployer
from pushdeploy.flow.destroy import Destruction
from pushdeploy.flow.disk_care import DiskCare
from pushdeploy.flow.domains import DomainChanges
from pushdeploy.flow.first_moments import FirstMoments
from pushdeploy.flow.front import FrontChanges
from pushdeploy.flow.keys import KeyChanges
from pushdeploy.flow.lock import Locking
from pushdeploy.flow.new_app import NewApps
from pushdeploy.flow.new_tasks import Starts
from pushdeploy.flow.one_off import OneOffCommands
from pushdeploy.flow.outages import Outages
from pushdeploy.flow.pipelines import PipelineChanges
from pushdeploy.flow.processes import Processes
from pushdeploy.flow.promote import Promoter
from pushdeploy.flow.records import Records
from pushdeploy.flow.rehearse import RehearsalRequests
from pushdeploy.flow.rename import Renames
from pushdeploy.flow.renewals import Renewals
from pushdeploy.flow.restart import Restarts
from pushdeploy.flow.restore import Restores
from pushdeploy.flow.retry import Retries
from pushdeploy.flow.rollback import Rollbacks
from pushdeploy.flow.safety import Safety
from pushdeploy.flow.scale import Scaling
from pushdeploy.flow.settings import SettingChanges
from pushdeploy.flow.shared_config import SharedConfig
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.snapshot import SnapshotChanges
from pushdeploy.flow.start_stop import StartStop
from pushdeploy.flow.swap import Swaps
from pushdeploy.flow.take_back import TakeBack
from pushdeploy.flow.traffic import Traffic
from pushdeploy.flow.transfers import Transfers
from pushdeploy.flow.turn import Turns
from pushdeploy.release.phase import ReleasePhase
from pushdeploy.run.choice import scheduler_names
from pushdeploy.wiring.ground import Ground


@dataclass(frozen=True, slots=True)
class Following:
    """The processes and the traffic of an app follow the ledger by these parts."""

    turns: Turns
    processes: Processes
    traffic: Traffic
    swaps: Swaps
    converger: Converger
    first_moments: FirstMoments


def make_following(ground: Ground, back: BackEnds) -> Following:
    store, locks, outages = ground.store, ground.locks, Outages(ground.settings.hold_seconds)
    processes = Processes(store, back.scheduler, back.manifests)
    traffic = Traffic(locks.traffic, back.router, back.sites, outages)
    return Following(
        turns=Turns(store, locks.apps),
        processes=processes,
        traffic=traffic,
        swaps=Swaps(traffic, back.scheduler),
        converger=Converger(store, processes, traffic, back.snapshots, back.publisher),
        first_moments=FirstMoments(store, back.scheduler),
    )


def make_flow(ground: Ground, back: BackEnds, following: Following, errands: Errands) -> Flow:
    store, turns, converger = ground.store, following.turns, following.converger
    candidates, shipper = Candidates(store), _shipper(ground, back, following, errands)
    building = Building(store, back.builder, ground.lifecycle, back.publisher)
    take_back = TakeBack(store, turns, candidates, shipper)
    refs, builder, swaps = back.repositories, back.builder, following.swaps
    promoter = Promoter(store, turns, refs, builder, candidates, shipper, take_back)
    disks, snapshots, locks = back.disks, back.snapshots, ground.locks
    attachments = DiskChanges(store, turns, candidates, shipper)
    restores = Restores(store, turns, snapshots, candidates, shipper)
    processes, traffic, scheduler = following.processes, following.traffic, back.scheduler
    restarts = Restarts(converger, processes, traffic, swaps)
    start_stop = StartStop(store, turns, scheduler, converger, restarts, errands)
    new_apps = NewApps(store, back.sites, back.certificates, refs, converger)
    return Flow(
        turns=turns,
        deployer=Deployer(store, turns, refs, building, candidates, shipper),
        retries=Retries(store, turns, refs, builder, candidates, shipper),
        rollbacks=Rollbacks(store, turns, builder, candidates, shipper),
        restores=restores,
        config_changes=ConfigChanges(store, turns, candidates, shipper),
        promoter=promoter,
        converger=converger,
        restarts=restarts,
        renames=Renames(
            store, turns, converger, processes, traffic, swaps, refs, disks, back.certificates
        ),
        start_stop=start_stop,
        scaling=Scaling(store, turns, start_stop),
        rehearsals=RehearsalRequests(store, promoter, back.rehearsals),
        new_apps=new_apps,
        clones=Clones(store, new_apps, promoter),
        destruction=Destruction(
            store,
            turns,
            scheduler,
            converger,
            refs,
            disks,
            snapshots,
            back.rehearsals,
            errands,
            back.certificates,
        ),
        settings=SettingChanges(store, converger, scheduler_names(), back.publisher),
        domains=DomainChanges(store, back.sites, back.certificates, converger, errands),
        front=FrontChanges(store, converger),
        certificates=CertificateChanges(
            store, back.sites, back.certificates, converger, ground.settings.ca_bundle
        ),
        disks=DiskCare(store, turns, disks, attachments),
        snapshots=SnapshotChanges(store, turns, locks.traffic, disks, snapshots),
        transfers=Transfers(store, turns, disks, snapshots, restores),
        one_offs=OneOffCommands(
            store, back.scheduler, back.manifests, locks.writers, locks.one_offs
        ),
        locking=Locking(store, locks.apps),
        keys=KeyChanges(store),
        renewals=Renewals(store, back.wishes, errands),
        pipelines=PipelineChanges(store),
        shared_config=SharedConfig(store),
    )


def _shipper(ground: Ground, back: BackEnds, following: Following, errands: Errands) -> Shipper:
    store = ground.store
    after_live = AfterLive(
        store,
        back.repositories,
        back.scheduler,
        back.snapshots,
        ground.lifecycle,
        back.sites,
        following.first_moments,
        back.publisher,
    )
    cut_overs = _cut_overs(ground, back, following, errands)
    converger, records = following.converger, Records(store)
    return Shipper(
        store,
        back.manifests,
        converger,
        records,
        cut_overs,
        after_live,
        errands,
        back.publisher,
    )


def _cut_overs(ground: Ground, back: BackEnds, following: Following, errands: Errands) -> CutOvers:
    store, scheduler, snapshots = ground.store, back.scheduler, back.snapshots
    traffic, swaps, writers = following.traffic, following.swaps, ground.locks.writers
    starts = Starts(store, scheduler, ReleasePhase(scheduler))
    safety = Safety(store, snapshots, following.converger, errands)
    return CutOvers(
        Overlap(store, scheduler, snapshots, starts, traffic),
        Exclusive(store, scheduler, writers, starts, traffic, swaps, safety),
    )
