"""Deaths remember how tasks ended by themselves: the engine forgets it at their next start."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pushdeploy.domain.names import AppName
from pushdeploy.domain.task import Death, Slot, SlotDeaths

Place = tuple[AppName, int, Slot]
"""An app, a release's version, and the slot that the task filled."""

Told = Callable[[Slot, Death], None]

_PLACES_KEPT = 4096
_CONTAINERS_KEPT = 4096


class Deaths:
    """Keeps the deaths of slots and containers, the newest thousands of them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: OrderedDict[Place, SlotDeaths] = OrderedDict()
        self._containers: OrderedDict[str, tuple[Slot, Death]] = OrderedDict()
        self._watches: list[tuple[Collection[str], Told]] = []

    def note(self, place: Place, container: str, death: Death, *, counts: bool) -> None:
        """``counts``: as one of its place, and not only of this container."""
        with self._lock:
            self._containers[container] = (place[2], death)
            if counts:
                before = self._places.pop(place, SlotDeaths(place[2], 0, death, death))
                self._places[place] = replace(before, times=before.times + 1, last=death)
            _cut(self._places, _PLACES_KEPT)
            _cut(self._containers, _CONTAINERS_KEPT)
            told = [tell for containers, tell in self._watches if container in containers]
        for tell in told:
            tell(place[2], death)

    def of_container(self, container: str) -> Death | None:
        with self._lock:
            return self._containers[container][1] if container in self._containers else None

    def of(self, place: Place) -> SlotDeaths | None:
        with self._lock:
            return self._places.get(place)

    def release(self, app: AppName, version: int) -> Sequence[SlotDeaths]:
        """The deaths of one release, in the order of their slots."""
        with self._lock:
            places = self._places.items()
            found = [ended for place, ended in places if place[:2] == (app, version)]
        return sorted(found, key=lambda ended: ended.slot)

    def rename(self, app: AppName, new: AppName) -> None:
        with self._lock:
            for place in [place for place in self._places if place[0] == app]:
                self._places[(new, *place[1:])] = self._places.pop(place)

    @contextmanager
    def told(self, containers: Collection[str], tell: Told) -> Iterator[None]:
        """Call ``tell`` while inside when one of them ends; at once where one has already."""
        watch = (containers, tell)
        with self._lock:
            self._watches.append(watch)
            ended = [self._containers[each] for each in containers if each in self._containers]
        try:
            for slot, death in ended:
                tell(slot, death)
            yield
        finally:
            with self._lock:
                self._watches.remove(watch)


def _cut(kept: OrderedDict[Any, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
