"""A directory for each app, with a word that no other app knows."""

from pathlib import Path

from pushdeploy.build.caches import AppCaches


def test_the_word_of_an_app_is_its_own_and_stays(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path / "apps")

    first, other = caches.scope(1), caches.scope(2)

    assert first != other
    assert len(first) == 32
    assert AppCaches(tmp_path / "apps").scope(1) == first


def test_a_word_that_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path)
    former = caches.scope(1)
    (tmp_path / "1" / "scope").write_text("")

    assert len(caches.scope(1)) == 32
    assert caches.scope(1) != former


def test_what_a_build_has_written_goes_with_its_app(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path / "apps")
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("of somebody else")
    for app_id in (1, 2, 3):
        (caches.downloads(app_id) / "link").symlink_to(kept)

    caches.remove(1)
    assert caches.remove_others([2]) == ["3"]

    assert [path.name for path in (tmp_path / "apps").iterdir()] == ["2"]
    assert (kept / "file").exists()


def test_nothing_is_removed_where_nothing_was_built(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path / "none")
    caches.remove(1)
    assert caches.remove_others([]) == []
