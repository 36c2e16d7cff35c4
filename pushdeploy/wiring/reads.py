"""Reads: what people are told."""

from pushdeploy.context import BackEnds, Reads
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
from pushdeploy.wiring.ground import Ground


def make_reads(ground: Ground, back: BackEnds) -> Reads:
    store, locks = ground.store, ground.locks
    scheduler, manifests = back.scheduler, back.manifests
    certificates = CertificateReader(store, back.certificates, ground.settings)
    return Reads(
        apps=AppReader(store, locks.apps, locks.traffic, back.sites, certificates),
        tasks=TaskReader(store, scheduler, manifests, locks.one_offs, locks.traffic),
        releases=ReleaseReader(store, ground.engine),
        snapshots=SnapshotReader(store, back.snapshots),
        disks=DiskReader(store, back.disks),
        pipelines=PipelineReader(store, back.repositories),
        logs=LogReader(scheduler, back.router),
        addresses=back.sites,
        outlooks=OutlookReader(store, back.wishes, on=ground.settings.tls == "auto"),
        certificates=certificates,
        verifier=Verifier(store, scheduler, manifests, locks.apps, back.publisher),
    )
