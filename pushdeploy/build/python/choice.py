"""Which stack gives an app its Python, or whether uv has to fetch one."""

from dataclasses import dataclass, replace

from pushdeploy.build.python.versions import (
    OLDEST_TO_FETCH,
    Wish,
    available,
    end_of_life,
    newest_release,
    refuse_impossible,
    release_of,
    satisfies,
)
from pushdeploy.build.shelf import Shelf
from pushdeploy.domain.errors import BuildFailed


@dataclass(frozen=True, slots=True)
class PythonChoice:
    """``managed`` is the version that uv must fetch, where no stack has it.

    ``free`` tells that nothing but our own taste speaks for this version.
    """

    stack: str
    version: str
    managed: str | None = None
    notices: tuple[str, ...] = ()
    free: bool = False


def choose_python(wish: Wish | None, requires: str, shelf: Shelf) -> PythonChoice:
    """What is asked for; else the stack of the live release; else the newest that fits.

    ``requires`` is the version specifier of the project's metadata. ``BuildFailed`` when there
    is no such Python.
    """
    if wish is not None:
        choice = _granted(wish, shelf)
        if not satisfies(wish.release, requires):
            said = f"the project requires Python {requires}, and {wish.where} asks for {wish.full}"
            choice = replace(choice, notices=(*choice.notices, f"{said}: {wish.where} wins"))
    else:
        choice = _fitting(requires, shelf)
    ended = end_of_life(release_of(choice.version), shelf.today)
    if not ended:
        return choice
    notice = f"Python {choice.version} gets no security fixes since {ended}"
    return replace(choice, notices=(*choice.notices, notice))


def _granted(wish: Wish, shelf: Shelf) -> PythonChoice:
    for stack in shelf.order():
        version = shelf.pythons[stack]
        if release_of(version) != wish.release:
            continue
        notice = f"{wish.where} asks for {wish.full}: using the {version} of stack {stack}"
        return PythonChoice(stack, version, notices=(notice,) if wish.full != version else ())
    refuse_impossible(wish, shelf.today)
    return PythonChoice(shelf.usual(), wish.full, managed=wish.full)


def _fitting(requires: str, shelf: Shelf) -> PythonChoice:
    fitting = [
        stack
        for stack in shelf.order()
        if satisfies(release_of(shelf.pythons[stack]), requires)
        and satisfies(release_of(shelf.pythons[stack]), shelf.learned)
    ]
    if not fitting:
        return _fetched(requires, shelf)
    stack, version = fitting[0], shelf.pythons[fitting[0]]
    if stack == shelf.former:
        notices = (f"Python {version}, as in the live release; .python-version can change it",)
        return PythonChoice(stack, version, notices=notices)
    why = "as the project requires" if requires else "for nothing asks for another"
    notice = f"Python {version}, {why}: a file .python-version pins it"
    return PythonChoice(stack, version, notices=(notice,), free=True)


def _fetched(requires: str, shelf: Shelf) -> PythonChoice:
    for minor in range(newest_release(shelf.today)[1], OLDEST_TO_FETCH[1] - 1, -1):
        if satisfies((3, minor), requires) and satisfies((3, minor), shelf.learned):
            version = f"3.{minor}"
            wanted = ", ".join(each for each in (requires, shelf.learned) if each)
            notice = f"Python {version} is fetched: {wanted} is required, and no stack has such"
            return PythonChoice(shelf.usual(), version, managed=version, notices=(notice,))
    raise BuildFailed(
        f"the project requires Python {requires}, and there is none such:"
        f" here are {available(shelf.pythons)}",
        "widen what the project requires, commit and push",
    )
