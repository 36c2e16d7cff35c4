"""A move: requests of an app go from some tasks to others, and people are told of it."""

from dataclasses import dataclass

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.route import Route, Target
from pushdeploy.output import duration


@dataclass(frozen=True, slots=True)
class Move:
    """Requests move to ``route``; those that are at ``leaving`` have time to be answered."""

    route: Route
    leaving: frozenset[Target]
    drain_seconds: float
    output: Output
    fallen: Cancellation


def tell_open(still_open: int, drain_seconds: float, output: Output) -> None:
    """Say how many connections to the former tasks have outlasted their time."""
    if still_open:
        many = "connection was" if still_open == 1 else "connections were"
        output.detail(
            f"{still_open} {many} still open to the former tasks after {duration(drain_seconds)}"
        )


def destination(route: Route) -> str:
    """Say where the requests of a route go."""
    if route.is_held:
        return f"requests of {route.app} wait"
    if not route.answers:
        return f"no task of {route.app} serves: visitors are told so"
    where = f"v{route.version}" if route.version else "the app"
    if not route.targets:
        return f"visitors get the files of {where}"
    tasks = len(route.targets)
    return f"traffic goes to {where}" + (f", {tasks} tasks of it" if tasks > 1 else "")
