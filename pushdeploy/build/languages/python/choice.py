"""A stack gives an app its Python, or uv has to fetch one."""

from dataclasses import dataclass, replace

from pushdeploy.build.language import Circumstances
from pushdeploy.build.languages.python.tools import PYTHONS
from pushdeploy.build.languages.python.versions import (
    OLDEST_TO_FETCH,
    Wish,
    available,
    end_of_life,
    newest_release,
    refuse_impossible,
    release_of,
    satisfies,
)
from pushdeploy.build.stack_order import StackOrder
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


def choose_python(wish: Wish | None, requires: str, circumstances: Circumstances) -> PythonChoice:
    """Choose the version that is asked for; else the live release's stack; else the newest that
    fits.

    ``requires`` is the version specifier of the project's metadata. ``BuildFailed`` when there
    is no such Python.
    """
    if wish is not None:
        choice = _granted(wish, circumstances)
        if not satisfies(wish.release, requires):
            said = f"the project requires Python {requires}, and {wish.where} asks for {wish.full}"
            choice = replace(choice, notices=(*choice.notices, f"{said}: {wish.where} wins"))
    else:
        choice = _fitting(requires, circumstances)
    ended = end_of_life(release_of(choice.version), circumstances.today)
    if not ended:
        return choice
    notice = f"Python {choice.version} gets no security fixes since {ended}"
    return replace(choice, notices=(*choice.notices, notice))


def may_try(specifier: str, stacks: StackOrder) -> bool:
    """Tell whether another Python is worth a try: a newer one is made if need be, an older is
    not.

    A package that does not build may have its reasons elsewhere.
    """
    return any(
        satisfies(release_of(PYTHONS[stack]), specifier)
        and (stack in stacks.ready or not specifier.startswith("<"))
        for stack in stacks.names
    )


def _granted(wish: Wish, circumstances: Circumstances) -> PythonChoice:
    for stack in circumstances.stacks.all():
        version = PYTHONS[stack]
        if release_of(version) != wish.release:
            continue
        notice = f"{wish.where} asks for {wish.full}: using the {version} of stack {stack}"
        return PythonChoice(stack, version, notices=(notice,) if wish.full != version else ())
    refuse_impossible(wish, circumstances.today)
    return PythonChoice(circumstances.stacks.usual(), wish.full, managed=wish.full)


def _fitting(requires: str, circumstances: Circumstances) -> PythonChoice:
    fitting = [
        stack
        for stack in circumstances.stacks.all()
        if satisfies(release_of(PYTHONS[stack]), requires)
        and satisfies(release_of(PYTHONS[stack]), circumstances.learned)
    ]
    if not fitting:
        return _fetched(requires, circumstances)
    stack, version = fitting[0], PYTHONS[fitting[0]]
    if stack == circumstances.stacks.former:
        notices = (f"Python {version}, as in the live release; .python-version can change it",)
        return PythonChoice(stack, version, notices=notices)
    why = "as the project requires" if requires else "for nothing asks for another"
    notice = f"Python {version}, {why}: a file .python-version pins it"
    return PythonChoice(stack, version, notices=(notice,), free=True)


def _fetched(requires: str, circumstances: Circumstances) -> PythonChoice:
    for minor in range(newest_release(circumstances.today)[1], OLDEST_TO_FETCH[1] - 1, -1):
        if satisfies((3, minor), requires) and satisfies((3, minor), circumstances.learned):
            version = f"3.{minor}"
            wanted = ", ".join(each for each in (requires, circumstances.learned) if each)
            notice = f"Python {version} is fetched: {wanted} is required, and no stack has such"
            stack = circumstances.stacks.usual()
            return PythonChoice(stack, version, managed=version, notices=(notice,))
    raise BuildFailed(
        f"the project requires Python {requires}, and there is none such:"
        f" here are {available(PYTHONS)}",
        "widen what the project requires, commit and push",
    )
