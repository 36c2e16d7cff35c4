"""Whatever is done to the ledger in whatever order: its rules hold."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import ReleaseStatus
from tests.databases import open_store
from tests.unit.samples import BLOG, SHOP, candidate, slug

STEPS = st.sampled_from([status for status in ReleaseStatus if status.unfinished])


class Ledger(RuleBasedStateMachine):
    """A dictionary of statuses is the model; ``Store`` must agree with it after every step."""

    made = Bundle("made")

    @initialize()
    def open(self) -> None:
        memory = Path("/dev/shm")  # thousands of commits: not on a disk that is asked to sync
        self.home = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
        self.path = Path(self.home.name, "ledger.sqlite3")
        self.store = open_store(self.path)
        self.model: dict[tuple[AppName, int], ReleaseStatus] = {}
        self.config: dict[AppName, dict[str, str]] = {SHOP: {}, BLOG: {}}
        self.given: dict[tuple[AppName, int], dict[str, str]] = {}
        for app in (SHOP, BLOG):
            self.store.apps.create(app)

    @rule(target=made, app=st.sampled_from([SHOP, BLOG]), key=st.sampled_from("abc"))
    def create(self, app: AppName, key: str) -> tuple[AppName, int]:
        config = {"NUMBER": str(len(self.model))}
        release = self.store.releases.create(candidate(app, slug=slug(key), config=config))
        place = (app, release.version)
        assert place not in self.model, "a version was given twice"
        assert release.version == 1 + sum(other == app for other, _ in self.model)
        self.model[place] = ReleaseStatus.PENDING
        self.given[place] = config
        return place

    @rule(place=made, status=STEPS)
    def advance(self, place: tuple[AppName, int], status: ReleaseStatus) -> None:
        if self._refused(place, lambda: self.store.releases.set_status(*place, status)):
            return
        self.model[place] = status

    @rule(place=made)
    def fail(self, place: tuple[AppName, int]) -> None:
        if not self._refused(place, lambda: self.store.releases.fail(*place, "why")):
            self.model[place] = ReleaseStatus.FAILED

    @rule(place=made)
    def make_live(self, place: tuple[AppName, int]) -> None:
        if self._refused(place, lambda: self.store.releases.make_live(*place)):
            return
        for other, status in self.model.items():
            if other[0] == place[0] and status is ReleaseStatus.LIVE:
                self.model[other] = ReleaseStatus.RETIRED
        self.model[place] = ReleaseStatus.LIVE
        self.config[place[0]] = self.given[place]

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = open_store(self.path)

    @invariant()
    def ledger_agrees_with_the_model(self) -> None:
        for app in (SHOP, BLOG):
            listed = self.store.releases.list(app, limit=1000)
            assert {(app, each.version): each.status for each in listed} == {
                place: status for place, status in self.model.items() if place[0] == app
            }
            assert all(self.given[app, each.version] == each.config for each in listed)

    @invariant()
    def the_current_pointer_is_at_the_one_live_release(self) -> None:
        for app in (SHOP, BLOG):
            live = [v for (a, v), s in self.model.items() if a == app and s is ReleaseStatus.LIVE]
            current = self.store.releases.current(app)
            assert len(live) <= 1
            assert ([current.version] if current else []) == live
            assert self.store.apps.get(app).current_version == (live[0] if live else None)
            assert self.store.config.get(app) == self.config[app]

    @invariant()
    def what_is_unfinished_is_found(self) -> None:
        found = {(each.app, each.version) for each in self.store.releases.unfinished()}
        assert found == {place for place, status in self.model.items() if status.unfinished}

    def teardown(self) -> None:
        self.store.close()
        self.home.cleanup()

    def _refused(self, place: tuple[AppName, int], change: object) -> bool:
        """Do it; a finished release must refuse it."""
        assert callable(change)
        if self.model[place].unfinished:
            change()
            return False
        with pytest.raises(PushdeployError, match="already"):
            change()
        return True


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
