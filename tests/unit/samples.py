"""Nouns with the fields that a test does not care about."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from pushdeploy.domain.app import App
from pushdeploy.domain.names import (
    AppName,
    CommitId,
    DiskName,
    HostName,
    ImageDigest,
    KeyName,
    ProcessType,
    TreeId,
)
from pushdeploy.domain.public_key import PublicKey
from pushdeploy.domain.release import Candidate, Reason, Release, ReleaseStatus
from pushdeploy.domain.settings import AppSettings
from pushdeploy.domain.slug import Healthcheck, Slug

SHOP = AppName("shop")
BLOG = AppName("blog")
ALICE = KeyName("alice")
WEB = ProcessType("web")
DATA = DiskName("data")
HOST = HostName("www.example.com")


def commit(text: str) -> CommitId:
    return CommitId(hashlib.sha1(text.encode()).hexdigest())


def slug(key: str = "one", **changes: Any) -> Slug:
    """A slug with something in every field."""
    values = {
        "image": ImageDigest(f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"),
        "key": key,
        "commit": commit(key),
        "tree": TreeId(commit(f"tree of {key}")),
        "builder": "python",
        "stack": "bookworm",
        "process_types": {ProcessType("worker"): "run jobs", WEB: "serve"},
        "release_command": "migrate",
        "runs_as": "app",
        "size_bytes": 5_000_000_000,
        "created_at": datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC),
        "port": 8000,
        "checks": {WEB: (Healthcheck(path="/up", command=("true", "-x"), uptime_seconds=1.5),)},
        "formation": {WEB: 2},
    }
    return Slug(**{**values, **changes})


def candidate(app: AppName = SHOP, **changes: Any) -> Candidate:
    values = {
        "app": app,
        "slug": slug(),
        "config": {},
        "disks": (),
        "reason": Reason.DEPLOY,
        "description": "Deploy",
        "by": ALICE,
    }
    return Candidate(**{**values, **changes})


def app(name: AppName = SHOP, **changes: Any) -> App:
    values = {
        "id": 1,
        "name": name,
        "created_at": datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC),
        "settings": AppSettings(),
        "formation": {},
    }
    return App(**{**values, **changes})


def release(of: Slug, name: AppName = SHOP, **changes: Any) -> Release:
    values = {
        "app": name,
        "version": 1,
        "status": ReleaseStatus.LIVE,
        "reason": Reason.DEPLOY,
        "description": "Deploy",
        "slug": of,
        "config": {},
        "disks": (),
        "by": ALICE,
        "created_at": datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC),
    }
    return Release(**{**values, **changes})


def key(name: str, secret: str = "") -> PublicKey:
    text = secret or name
    return PublicKey(KeyName(name), "ssh-ed25519", f"AAAA{text}", f"SHA256:{text}")
