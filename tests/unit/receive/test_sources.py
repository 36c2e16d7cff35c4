"""A tree is read from where git keeps it, as it is."""

import io
import tarfile
from typing import BinaryIO

import pytest

from pushdeploy.domain.errors import BuildFailed, UserError
from pushdeploy.domain.names import CommitId
from pushdeploy.domain.source import Source, SourceReader
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.source import READ_BYTES
from tests.unit.receive.client import Client
from tests.unit.receive.host import APP


@pytest.fixture
def source(client: Client, repositories: Repositories) -> Source:
    client.commit(
        Procfile="web: ./run\n",
        **{
            "run": "#!/bin/sh\n",
            "with space/ümläut": "x",
            "secret.txt": "$Format:%H$\n",
            "__gitattributes": "secret.txt export-ignore\n* export-subst\n",
        },
    )
    (client.folder / "run").chmod(0o755)
    (client.folder / "link").symlink_to("run")
    commit = client.commit()
    client.git("push", "-q", "deploy", "main")
    found = repositories.source(APP, commit)
    assert found is not None
    return found


def unpacked(reader: SourceReader, *paths: str) -> dict[str, tarfile.TarInfo]:
    with reader.archive(paths) as stream:
        data = stream.read()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: member for member in tar if not member.isdir()}


def test_entries_are_the_files_with_mode_and_size(source: Source) -> None:
    found = {entry.path: (oct(entry.mode), entry.size_bytes) for entry in source.reader.entries()}

    assert found["run"] == ("0o100755", 10)
    assert found["Procfile"] == ("0o100644", 11)
    assert found["link"] == ("0o120000", 3)
    assert found["with space/ümläut"] == ("0o100644", 1)
    assert len(found) == 6


def test_read_gives_bytes_or_none(source: Source) -> None:
    assert source.reader.read("Procfile") == b"web: ./run\n"
    assert source.reader.read("with space/ümläut") == b"x"
    assert source.reader.read("with space") is None
    assert source.reader.read("../Procfile") is None
    assert source.reader.read(":(glob)*") is None


def test_a_file_too_large_for_memory_is_not_read(
    client: Client, repositories: Repositories
) -> None:
    commit = client.commit(Procfile="x" * (READ_BYTES + 1))
    client.git("push", "-q", "deploy", "main")
    found = repositories.source(APP, commit)
    assert found

    with pytest.raises(UserError, match="Procfile is larger"):
        found.reader.read("Procfile")


def test_an_archive_is_the_tree_whatever_its_attributes_say(source: Source) -> None:
    members = unpacked(source.reader)

    assert set(members) == {entry.path for entry in source.reader.entries()}
    assert members["run"].mode == 0o755
    assert members["Procfile"].mode == 0o644
    assert members["link"].issym()
    assert members["link"].linkname == "run"
    with source.reader.archive(["secret.txt"]) as stream:
        assert b"$Format:%H$" in stream.read()


def test_an_archive_of_some_paths_has_only_those(source: Source) -> None:
    assert set(unpacked(source.reader, "Procfile", "with space")) == {
        "Procfile",
        "with space/ümläut",
    }


def test_an_archive_of_what_is_not_there_fails(source: Source) -> None:
    with pytest.raises(BuildFailed, match="did not match any files"):
        unpacked(source.reader, "*.txt")


def test_a_reader_may_stop_early(source: Source) -> None:
    with source.reader.archive() as stream:
        assert len(stream.read(512)) == 512


def test_an_error_in_the_middle_ends_the_child(source: Source) -> None:
    def fail(stream: BinaryIO) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), source.reader.archive() as stream:
        fail(stream)


def test_keep_holds_the_commit_when_no_branch_does(
    client: Client, source: Source, repositories: Repositories
) -> None:
    source.reader.keep()
    source.reader.keep()

    assert repositories.read(APP, f"refs/pushdeploy/commits/{source.commit}") == source.commit
    assert source.reader.read("Procfile") == b"web: ./run\n"


def test_a_commit_that_is_not_there_has_no_source(
    source: Source, repositories: Repositories
) -> None:
    assert repositories.source(APP, CommitId("a" * 40)) is None
    assert source.tree == source.tree.strip()


def test_a_source_knows_its_own_history_and_no_other(
    client: Client, repositories: Repositories
) -> None:
    old, new = client.commit(), client.commit()
    client.git("push", "-q", "deploy", "main")
    source = repositories.source(APP, old)
    assert source is not None
    assert source.reader.descends_from(old)
    assert not source.reader.descends_from(new)
    assert not source.reader.descends_from(CommitId("1" * 40))
    later = repositories.source(APP, new)
    assert later is not None
    assert later.reader.descends_from(old)
