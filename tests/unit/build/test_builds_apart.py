"""What one app can write in a build, no build of another reads."""

from pathlib import Path

import pytest

from pushdeploy.build.containers import BuildSettings
from pushdeploy.engine.docker import DockerEngine
from tests.unit.build.conftest import Bench, MakeClone
from tests.unit.build.looking import PROCFILE, look

pytestmark = pytest.mark.docker

PLANTING = """
import os, pathlib, setuptools
for place in (os.environ["UV_CACHE_DIR"], "/opt", "/tmp", "/app"):
    for each in [place, *(folder for folder, _, _ in os.walk(place))]:
        if os.access(each, os.W_OK):
            pathlib.Path(each, "planted.py").write_text("planted = True\\n")
setuptools.setup(name="planter", version="1")
"""

LOOK_FOR_PLANTS = """
import os, setuptools
found = [os.path.join(at, "planted.py") for place in (os.environ["UV_CACHE_DIR"], "/opt", "/tmp")
         for at, _, names in os.walk(place) if "planted.py" in names]
assert not found, found
setuptools.setup(name="planter", version="1")
"""


def test_the_cache_of_downloads_is_the_apps_own(
    bench: Bench, build_settings: BuildSettings, clone: MakeClone
) -> None:
    source = clone().commit(
        {"Procfile": PROCFILE, "requirements.txt": "itsdangerous==2.1.2\n# cached\n"}
    )
    bench.build(source, app_id=7)

    cache: Path = build_settings.cache / "apps" / "7" / "uv"
    assert cache.stat().st_uid == 1000
    assert any(cache.iterdir())


def test_what_one_app_can_write_in_a_build_no_other_reads(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    planter, other = clone(), clone()
    files = {"Procfile": PROCFILE, "requirements.txt": "itsdangerous==2.1.2\n.\n"}
    mine = bench.build(planter.commit({**files, "setup.py": PLANTING}), app_id=1)
    assert look(engine, mine, "find /opt -name planted.py | head -1") != [], "it does plant"

    theirs = bench.build(other.commit({**files, "setup.py": LOOK_FOR_PLANTS}), app_id=2)

    assert look(engine, theirs, "find / -xdev -name planted.py 2>/dev/null") == []


def test_equal_lock_files_and_trees_of_two_apps_share_nothing(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    """The first has changed what its installer leaves, in a way that no lock file tells."""
    app = clone()
    same = {"Procfile": PROCFILE, "requirements.txt": "itsdangerous==2.1.2\n", "app.py": "1\n"}
    first = bench.build(app.commit(same), app_id=1)
    again = bench.build(app.commit({"app.py": "2\n"}), app_id=1)
    assert "dependencies have not changed" in bench.said

    source = app.commit({"app.py": "1\n"})
    other = bench.build(source, app_id=2)

    assert "Reusing slug" not in bench.said
    assert "dependencies have not changed" not in bench.said
    assert len({first.key, again.key, other.key}) == 3
    layers = engine.images({"pushdeploy.role": "dependencies", "pushdeploy.owner": "2"})
    assert len(layers) >= 1
    assert bench.build(source, app_id=1).image == first.image, "its own is still reused"


def test_a_cache_that_all_apps_shared_is_gone_after_a_start(
    bench: Bench, build_settings: BuildSettings
) -> None:
    former = build_settings.cache / "uv"
    (former / "archive-v0").mkdir(parents=True)

    bench.builder.sweep()

    assert not former.exists()
