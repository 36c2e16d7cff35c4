"""Docstrings begin with a plain sentence, so that they can be read without the code."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.tree import FILES, PACKAGE, name_of, part_of, tree_of

SAID_PLAINLY = (
    "access",
    "commands",
    "disks",
    "domain",
    "engine",
    "flow",
    "locks",
    "reads",
    "receive",
    "release",
    "route",
    "run",
    "ssh",
    "store",
    "upkeep",
    "wiring",
)
"""Folders whose docstrings all begin with a plain sentence. The list only grows; those of the
modules beside the folders do so too."""
NO_BEGINNINGS = (
    "and as at but by from he here her his how in into it its nobody none not nothing now of"
    " on once one only or our she so that their them there they those to us we what when where"
    " whether which who whom whose why with without"
)
"""A sentence that begins so completes a name, or asks the reader to guess its subject."""


def opening_of(docstring: str) -> str:
    """The first sentence, with spaces for line ends."""
    paragraph = " ".join(docstring.strip().partition("\n\n")[0].split())
    sentence, stop, _ = re.sub(r"\.(?=\s)", ".\n", paragraph).partition("\n")
    return sentence if stop else paragraph


def riddle(docstring: str) -> str:
    """What keeps the first sentence from being read without the code; empty where nothing does."""
    sentence = opening_of(docstring)
    words = sentence.split()
    if not (sentence[:1].isupper() or sentence.startswith("``")):
        return "it begins without a capital"
    if not sentence.endswith("."):
        return "it ends without a full stop"
    if len(words) < 3:
        return "it is no sentence"
    if words[0].strip(",;:").lower() in NO_BEGINNINGS.split():
        return f"it begins with {words[0]}"
    if re.match(r"``[A-Z]\w+`` (for|unless|when|where|while|with)\b", sentence):
        return "an error is not raised by being named"
    return ""


def public_definitions(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef]:
    """The module, and its classes, functions and methods whose whole path is public."""
    waiting: list[ast.Module | ast.ClassDef | ast.FunctionDef] = [tree]
    while waiting:
        found = waiting.pop()
        yield found
        if not isinstance(found, ast.FunctionDef):
            waiting += [
                each
                for each in found.body
                if isinstance(each, (ast.ClassDef, ast.FunctionDef))
                and not each.name.startswith("_")
            ]


def riddles_in(tree: ast.Module) -> list[str]:
    """``line: what is wrong`` for each docstring, and for each public class without one."""
    found = []
    for definition in public_definitions(tree):
        docstring = ast.get_docstring(definition)
        line = getattr(definition, "lineno", 1)
        if docstring is None:
            if isinstance(definition, ast.ClassDef):
                found.append(f"{line}: the class {definition.name} says nothing")
        elif why := riddle(docstring):
            found.append(f"{line}: {why}: {opening_of(docstring)}")
    return found


@pytest.mark.parametrize("part", SAID_PLAINLY)
def test_docstrings_begin_with_a_plain_sentence(part: str) -> None:
    files = [path for path in FILES if part_of(path) == part]
    found = [f"{name_of(path)}:{why}" for path in files for why in riddles_in(tree_of(path))]
    assert files
    assert not found, "\n".join(found)


def test_docstrings_of_modules_beside_the_folders_begin_so_too() -> None:
    files = [path for path in FILES if path.parent == PACKAGE]
    found = [f"{name_of(path)}:{why}" for path in files for why in riddles_in(tree_of(path))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "opening",
    [
        "What a push may bring.",
        "Whether it is there.",
        "of a disk, its size.",
        "Newest first.",
        "One file a step, in order.",
        "The size of a disk",
        "``UserError`` when there is none.",
        "Those that came\n    together. The rest is fine.",
    ],
)
def test_a_riddle_is_noticed(opening: str) -> None:
    text = f'"""A module has a sentence."""\n\n\ndef size() -> int:\n    """{opening}"""\n'
    assert [line.partition(":")[0] for line in riddles_in(ast.parse(text))] == ["4"]


def test_a_class_without_a_word_is_noticed() -> None:
    tree = ast.parse('"""A module has a sentence."""\n\n\nclass Size:\n    pass\n')
    assert riddles_in(tree)


def test_plain_sentences_and_private_names_pass() -> None:
    text = (
        '"""Sizes of disks are\nlimited. Of them more below."""\n\n\n'
        'def size() -> int:\n    """``limit`` bounds the size."""\n\n\n'
        'def _size() -> int:\n    """What it is."""\n'
    )
    assert riddles_in(ast.parse(text)) == []
