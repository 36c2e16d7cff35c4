"""A Dockerfile names images to stand on, to copy from, to mount, and to be read by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.build.languages.dockerfile.reading import (
    DIALECTS,
    Dockerfile,
    Instruction,
    read,
    triggered,
)
from pushdeploy.build.languages.dockerfile.words import Undecidable, expanded, fields_of, raw_words

SCRATCH = "scratch"
HEREDOC = "<<"
"""The role of what is no image: a line behind which any may be named."""

_UNNAMED = " "
"""A stage that can be meant by its number alone."""


@dataclass(frozen=True, slots=True)
class Named:
    """A line names an image; ``name`` is None where only the builder could tell it.

    ``written`` is what stands there, and ``role`` is in which way: ``FROM``, ``COPY --from`` and
    the like; ``HEREDOC`` is that of a line which may hide some. ``is_base`` tells whether triggers
    of the image run in the build.
    """

    line: int
    role: str
    written: str
    name: str | None
    is_base: bool = False


def named_images(
    text: str, arguments: Mapping[str, str], platform: Mapping[str, str]
) -> Sequence[Named]:
    """All images of a Dockerfile, in whatever dialect it is read.

    ``arguments`` are the values of build arguments, ``platform`` those that builders set.
    """
    found: dict[Named, None] = {}
    for dialect in DIALECTS:
        found |= dict.fromkeys(_of_file(read(text, dialect), arguments, platform))
    return sorted(found, key=lambda each: each.line)


def named_by(instructions: Iterable[Instruction], stages: Sequence[str]) -> Iterator[Named]:
    """Yield the images of instructions other than ``FROM``, given the stages built before them.

    Such a stage hides an image of its name; it may be meant by its number, too. A later one does
    not: to the classic builder its name is that of an image, or the beginning of the id of one.
    """
    names = [stage.lower() for stage in stages]
    known = {*names, *map(str, range(len(names)))}
    for instruction in map(triggered, instructions):
        for role, written in _mentions(instruction):
            if written.lower() not in known:
                yield Named(instruction.line, role, written, _decided(written))


def _of_file(
    file: Dockerfile, arguments: Mapping[str, str], platform: Mapping[str, str]
) -> Iterator[Named]:
    if file.syntax:
        yield Named(1, "syntax", file.syntax, file.syntax)
    variables = dict(platform)
    stages: list[str] = []
    current: list[str] = []
    for instruction in file.instructions:
        if instruction.keyword == "ARG" and not current:
            _declare(instruction, arguments, variables)
        if triggered(instruction).keyword == "FROM":
            stages += current
            words = triggered(instruction).rest.split()
            yield from _base(instruction, words[:1], variables, stages)
            current = [words[2].lower() if len(words) > 2 else _UNNAMED]
        if instruction.is_ambiguous:
            written = f"{instruction.keyword} {instruction.rest}"
            yield Named(instruction.line, HEREDOC, written, None)
        yield from named_by([instruction], stages)


def _base(
    instruction: Instruction,
    words: Sequence[str],
    variables: Mapping[str, str],
    stages: Sequence[str],
) -> Iterator[Named]:
    for written in words:
        name = _expanded(written, variables)
        if name is None or (name != SCRATCH and name.lower() not in stages):
            yield Named(instruction.line, "FROM", written, name, is_base=True)


def _declare(
    instruction: Instruction, arguments: Mapping[str, str], variables: dict[str, str]
) -> None:
    """``ARG name=default …``: what ``FROM`` may use from here on."""
    for word in raw_words(instruction.rest):
        name, is_given, default = word.partition("=")
        if name in arguments:
            variables[name] = arguments[name]
        elif is_given:
            value = _expanded(default, variables)
            variables[name] = "$" if value is None else value


def _mentions(instruction: Instruction) -> Iterator[tuple[str, str]]:
    if instruction.keyword in {"COPY", "ADD"}:
        for value in instruction.values_of("from"):
            yield f"{instruction.keyword} --from", value
    if instruction.keyword == "RUN":
        for mount in instruction.values_of("mount"):
            yield from _of_mount(mount)


def _of_mount(mount: str) -> Iterator[tuple[str, str]]:
    try:
        fields = fields_of(mount)
    except Undecidable:
        fields = [("from", f"${mount}")]
    for name, value in fields:
        if name == "from":
            yield "RUN --mount from", value
        elif "$" in name:
            yield "RUN --mount", f"{name}={value}"


def _decided(written: str) -> str | None:
    """Builders replace no variables here, or refuse them; a name with one is not relied on."""
    return None if "$" in written else written


def _expanded(written: str, variables: Mapping[str, str]) -> str | None:
    """No image has an escape character in its name: what one would mean need not be known."""
    if "\\" in written or "`" in written:
        return None
    try:
        return _decided(expanded(written, variables))
    except Undecidable:
        return None
