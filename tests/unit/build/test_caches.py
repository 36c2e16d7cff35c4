"""A directory for each app, with a word that no other app knows."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pushdeploy.build.caches import AppCaches
from pushdeploy.domain.leftovers import Window


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
    for app_id in (1, 2):
        (caches.directory(app_id, "uv") / "link").symlink_to(kept)

    caches.remove(1)

    assert caches.app_ids() == [2]
    assert (kept / "file").exists()


def test_nothing_is_removed_where_nothing_was_built(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path / "none")
    caches.remove(1)
    assert caches.app_ids() == []


def test_downloads_go_when_they_are_too_many_or_not_needed_for_long(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path)
    (caches.directory(1, "uv") / "wheel").write_bytes(bytes(100_000))
    before, after = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)

    assert not caches.wants_trimming(1, 1_000_000, before)
    assert caches.wants_trimming(1, 10_000, before)
    assert caches.wants_trimming(1, 1_000_000, after)
    assert not caches.wants_trimming(2, 0, after), "there are none"

    scope = caches.scope(1)
    caches.remove_downloads(1)
    assert not caches.wants_trimming(1, 0, after)
    assert caches.scope(1) == scope


def test_the_times_of_builds_outlive_a_server_that_was_killed_in_one(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path)
    with caches.building(1):
        pass
    with suppress(ZeroDivisionError), caches.building(1):
        raise ZeroDivisionError
    notes = tmp_path / "1" / "builds"
    notes.write_text(notes.read_text() + "begun 2026-01-01T00:00:00+00:00\nbeg")
    restarted = datetime(2026, 1, 2, tzinfo=UTC)

    first, second, killed = caches.windows(1, restarted)

    assert first.ended is not None
    assert second.ended is not None
    assert first.begun <= first.ended <= second.begun <= second.ended
    assert killed == Window(datetime(2026, 1, 1, tzinfo=UTC), restarted)


def test_a_build_that_goes_on_has_not_ended(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path)
    began = datetime.now(UTC)
    with caches.building(1):
        (window,) = caches.windows(1, began)
    assert window.ended is None


def test_the_times_of_very_many_builds_are_not_kept(tmp_path: Path) -> None:
    caches = AppCaches(tmp_path)
    notes = tmp_path / "1" / "builds"
    caches.scope(1)
    notes.write_text("begun 2026-01-01T00:00:00+00:00\nended 2026-01-01T00:01:00+00:00\n" * 5000)
    with caches.building(1):
        pass
    assert len(notes.read_text().splitlines()) < 1100
