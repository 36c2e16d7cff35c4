"""Published files lie once, whole, and as their list says."""

import os
import tarfile
from pathlib import Path

import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import ImageDigest
from pushdeploy.publish.manifest import Manifest, changed
from pushdeploy.publish.taking_out import take_out
from pushdeploy.publish.trees import Trees
from tests.unit.publish.test_taking_out import archive, file, link

ONE, TWO = (ImageDigest(f"sha256:{digit * 64}") for digit in "12")
FOLDER = "/app/public"
PAGES = {"index.html": b"hello", "a/b.css": b"b {}"}


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def add(
    trees: Trees, image: ImageDigest = ONE, folder: str = FOLDER, pages: dict[str, bytes] = PAGES
) -> str:
    members = [file(f"public/{name}", data) for name, data in pages.items()]
    members.append(link("public/same", "index.html"))
    return trees.add(image, folder, lambda target: take_out(archive(*members), folder, target))[0]


def test_equal_folders_of_two_images_lie_there_once(trees: Trees, tmp_path: Path) -> None:
    assert trees.digest_of(ONE, FOLDER) is None
    digest = add(trees)
    inode = (trees.files(digest) / "index.html").stat().st_ino
    assert add(trees, TWO) == digest
    assert trees.digest_of(ONE, FOLDER) == trees.digest_of(TWO, FOLDER) == digest
    assert (trees.files(digest) / "index.html").stat().st_ino == inode
    assert list((tmp_path / "static/new").iterdir()) == []


def test_files_go_with_the_last_image_that_has_them(trees: Trees) -> None:
    digest = add(trees)
    add(trees, TWO)
    trees.forget(ONE)
    assert trees.sweep() == []
    assert trees.digest_of(TWO, FOLDER) == digest
    trees.forget(TWO)
    assert trees.sweep() == [digest]
    assert not trees.files(digest).exists()
    assert trees.images() == []


def test_files_that_have_gone_are_not_there_however_much_is_known_of_them(
    trees: Trees, tmp_path: Path
) -> None:
    digest = add(trees)
    (tmp_path / "static" / digest).rename(tmp_path / "elsewhere")
    assert trees.digest_of(ONE, FOLDER) is None
    assert trees.damage(digest)
    assert add(trees) == digest == trees.digest_of(ONE, FOLDER)


@pytest.mark.parametrize("kind", ["gone", "empty", "changed", "mode", "link", "list"])
def test_damage_is_noticed_and_mended_by_adding_again(trees: Trees, kind: str) -> None:
    digest = add(trees)
    page = trees.files(digest) / "index.html"
    if kind == "gone":
        page.unlink()
    elif kind == "empty":
        page.write_bytes(b"")
    elif kind == "changed":
        page.write_bytes(b"HELLO")
    elif kind == "mode":
        page.chmod(0o600)
    elif kind == "link":
        (trees.files(digest) / "same").unlink()
        (trees.files(digest) / "same").symlink_to("/etc/passwd")
    else:
        trees.files(digest).with_name("manifest").write_text("")
    assert trees.damage(digest)
    assert add(trees) == digest
    assert trees.damage(digest) == ""
    assert page.read_bytes() == b"hello"


def test_only_a_look_at_every_byte_proves_what_is_there(trees: Trees) -> None:
    digest = add(trees)
    page = trees.files(digest) / "index.html"
    status = page.stat()
    assert trees.proof(digest) == digest
    page.write_bytes(b"evil!")
    os.utime(page, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert trees.damage(digest) == ""
    assert trees.proof(digest) != digest


def test_what_a_killed_server_was_about_to_add_goes(trees: Trees, tmp_path: Path) -> None:
    def killed(target: Path) -> None:
        target.mkdir()
        (target / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trees.add(ONE, FOLDER, killed)  # type: ignore[arg-type]
    (tmp_path / "static/new/half").mkdir()
    trees.clear()
    assert trees.digest_of(ONE, FOLDER) is None
    assert not (tmp_path / "static/new").exists()


def test_nobody_can_list_what_other_apps_publish(trees: Trees, tmp_path: Path) -> None:
    digest = add(trees)
    assert oct((tmp_path / "static").stat().st_mode) == "0o40711"
    assert oct((tmp_path / "static" / digest / "files").stat().st_mode) == "0o40755"


def test_a_list_is_read_as_it_was_written_and_nothing_else_is(trees: Trees) -> None:
    odd = {"line\nbreak": b"1", "\udcff": b"2", 'quo"te': b"3"}
    manifest = trees.manifest(add(trees, pages=odd))
    assert set(manifest.files) == set(odd)
    assert Manifest.parse(manifest.text()) == manifest
    for text in ("", "something", manifest.text()[:-2], manifest.text() + "x", "[]\n"):
        with pytest.raises(BackendDown):
            Manifest.parse(text)


def test_changed_paths_are_those_that_were_made_changed_or_removed(trees: Trees) -> None:
    old = trees.manifest(add(trees, pages={"same": b"1", "old": b"2", "other": b"3"}))
    new = trees.manifest(add(trees, pages={"same": b"1", "new": b"2", "other": b"4"}))
    assert changed(old, new) == ["new", "old", "other"]
    assert changed(old, old) == []
    assert "same" in changed(None, old)


def test_a_hard_link_in_an_archive_is_kept(trees: Trees) -> None:
    members = [file("public/a", b"1"), link("public/b", "public/a", tarfile.LNKTYPE)]
    digest, _ = trees.add(ONE, FOLDER, lambda target: take_out(archive(*members), FOLDER, target))
    assert trees.damage(digest) == ""
