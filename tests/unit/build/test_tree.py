"""What is read of a source, and where symbolic links in it lead."""

import pytest

from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import FilesInMemory


def linked(files: dict[str, str | bytes], **links: str) -> Tree:
    """``links`` are targets by name; two underscores stand for a slash."""
    named = {name.replace("__", "/"): target for name, target in links.items()}
    return Tree.of(FilesInMemory({**files, **named}, frozenset(named)))


FILES: dict[str, str | bytes] = {"conf/prod/Procfile": "web: x\n", "Dockerfile": "FROM x\n"}


@pytest.mark.parametrize(
    "links",
    [
        pytest.param({"Procfile": "conf/prod/Procfile"}, id="a link"),
        pytest.param({"Procfile": "./conf/../conf/prod//Procfile"}, id="a winding one"),
        pytest.param({"Procfile": "one", "one": "two", "two": "conf/prod/Procfile"}, id="a chain"),
        pytest.param({"Procfile": "live/Procfile", "live": "conf/prod"}, id="a directory"),
        pytest.param(
            {"Procfile": "conf/now/Procfile", "conf__now": "../conf/prod"}, id="one further down"
        ),
    ],
)
def test_links_within_the_tree_are_followed(links: dict[str, str]) -> None:
    tree = linked(FILES, **links)

    assert tree.has("Procfile")
    assert tree.text("Procfile") == "web: x\n"


@pytest.mark.parametrize(
    ("links", "said"),
    [
        ({"Procfile": "/etc/passwd"}, "Procfile is a symbolic link to /etc/passwd that leads out"),
        ({"Procfile": "../../etc/passwd"}, "Procfile is a symbolic link that leads out"),
        ({"Procfile": "conf/../../x"}, "leads out of the source"),
        ({"Procfile": "Procfile"}, "leads back to itself"),
        ({"Procfile": "one", "one": "two", "two": "one"}, "leads back to itself"),
        ({"Procfile": "conf/gone"}, "link to conf/gone, which is not in the commit"),
        ({"Procfile": "conf"}, "link to a directory: conf"),
        ({"Procfile": "."}, "link to a directory: ."),
    ],
)
def test_links_that_lead_nowhere_good_are_told_apart(links: dict[str, str], said: str) -> None:
    with pytest.raises(BuildFailed) as failed:
        linked(FILES, **links).text("Procfile")

    assert said in failed.value.message
    assert failed.value.hint


def test_a_missing_file_is_no_link() -> None:
    with pytest.raises(BuildFailed, match=r"^uv\.lock is not in the commit$"):
        linked(FILES).text("uv.lock")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_as_its_byte_order_mark_says(encoding: str) -> None:
    assert linked({"a.txt": "django==5\r\nü".encode(encoding)}).text("a.txt") == "django==5\r\nü"


def test_text_of_another_encoding_is_refused() -> None:
    with pytest.raises(BuildFailed, match="byte 1 is wrong"):
        linked({"a.txt": b"a\xfcb"}).text("a.txt")
