"""Real sources become real slugs: what is inside, what is shared, what is left after a failure."""

import secrets
import subprocess
import threading
from dataclasses import replace

import pytest

from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.stacks import Stacks
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BuildFailed, Cancelled, PushdeployError
from pushdeploy.domain.names import WEB, ProcessType
from pushdeploy.engine.docker import DockerEngine
from tests.unit.build.conftest import BOOKWORM, Bench, MakeClone, bench_of
from tests.unit.build.looking import PROCFILE, SETUP, assert_nothing_is_left, image_of, look

pytestmark = pytest.mark.docker


def test_an_app_without_dependencies_is_its_source_on_the_stack(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone("hello").commit({"lib/data": "old"})

    slug = bench.build(source)

    assert (slug.builder, slug.stack, slug.runs_as) == ("python", "bookworm", "app")
    assert slug.process_types == {
        WEB: "python web.py",
        ProcessType("worker"): "python worker.py",
    }
    assert look(engine, slug, _WHAT_AN_APP_MAY) == [
        "/app",
        "hello from all",
        "lib/mine",
        "ls: cannot access '.git': No such file or directory",
    ]
    assert_nothing_is_left(engine)


_WHAT_AN_APP_MAY = (
    "pwd; echo hello from all > lib/data && cat lib/data; touch lib/mine && ls lib/mine;"
    " ls -d .git 2>&1"
)


def test_an_image_tells_what_it_is_made_of(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone("hello").source()

    slug = bench.build(source)

    image = image_of(engine, slug)
    assert image.labels["pushdeploy.slug"] == slug.key
    assert image.labels["pushdeploy.commit"] == source.commit
    assert image.labels["pushdeploy.tree"] == source.tree
    assert image.labels["pushdeploy.builder"] == "python"
    assert image.labels["pushdeploy.stack"] == "bookworm"
    assert '"web": "python web.py"' in image.labels["pushdeploy.process-types"]
    assert image.labels["org.opencontainers.image.revision"] == source.commit
    assert f"pushdeploy-{engine.instance}/slug:{slug.key[:32]}" in image.tags


def test_an_equal_tree_is_built_once_and_carries_the_new_commit(
    bench: Bench, clone: MakeClone
) -> None:
    app = clone("hello")
    first = bench.build(app.source())

    again = bench.build(app.commit({}))

    assert again.image == first.image
    assert again.commit == app.source().commit != first.commit
    assert f"Reusing slug {first.key[:12]}" in bench.said


def test_a_lost_image_is_built_again(bench: Bench, engine: DockerEngine, clone: MakeClone) -> None:
    source = clone("hello").source()
    first = bench.build(source)
    bench.builder.remove(first)
    assert bench.builder.find(first.key) is None

    again = bench.build(source)

    assert again.key == first.key
    assert "Reusing" not in bench.said
    image_of(engine, again)


def test_config_vars_reach_the_build_by_name_and_never_the_image(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what=_REQUIRES_ENVIRONMENT),
        }
    )
    secret = f"s3cret-{secrets.token_hex(8)}"
    config = {"SECRET_KEY": secret, "DATABASE_URL": "hidden", "BUILD_ENV": "SECRET_KEY"}

    slug = bench.build(source, config)

    seen = ["\n".join(look(engine, slug, "env")), bench.said]
    for words in (["image", "inspect"], ["history", "--no-trunc"], ["save"]):
        shown = subprocess.run(["docker", *words, slug.image], capture_output=True, check=True)
        seen.append(shown.stdout.decode(errors="replace"))
    assert [secret in text for text in seen] == [False] * 5
    assert "SSL_CERT_FILE" not in seen[0] + seen[2] + seen[3]


_REQUIRES_ENVIRONMENT = """
import os
assert os.environ["SECRET_KEY"].startswith("s3cret-")
print("the key is", os.environ["SECRET_KEY"], file=sys.stderr)
assert "DATABASE_URL" not in os.environ
"""


def test_a_build_that_prints_a_secret_shows_none(bench: Bench, clone: MakeClone) -> None:
    tells = "import os\nraise SystemExit('the key is ' + os.environ['SECRET_KEY'])"
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what=tells),
        }
    )

    with pytest.raises(BuildFailed) as failed:
        bench.build(source, {"SECRET_KEY": "s3cret-of-all", "BUILD_ENV": "SECRET_KEY"})

    said = bench.said + "\n".join(failed.value.log_tail)
    assert "the key is ****" in said
    assert "s3cret-of-all" not in said


def test_cancelling_kills_the_build(bench: Bench, engine: DockerEngine, clone: MakeClone) -> None:
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what="time.sleep(3600)"),
        }
    )
    cancellation = Cancellation()
    raised: list[PushdeployError] = []

    def build() -> None:
        with pytest.raises(Cancelled) as cancelled:
            bench.build(source, cancellation=cancellation)
        raised.append(cancelled.value)

    building = threading.Thread(target=build)
    building.start()
    _wait_until_running(engine)
    cancellation.cancel("the client went away")
    building.join(timeout=60)

    assert not building.is_alive()
    assert raised[0].message == "cancelled: the client went away"
    assert_nothing_is_left(engine)


def _wait_until_running(engine: DockerEngine) -> None:
    with engine.events() as events:
        running = {info.state for info in engine.containers({"pushdeploy.role": "build"})}
        if "running" in running:
            return
        for event in events:
            if event.action == "start":
                return


def test_a_build_that_takes_too_long_is_stopped(
    engine: DockerEngine, stacks: Stacks, build_settings: BuildSettings, clone: MakeClone
) -> None:
    settings = replace(build_settings, timeout_seconds=3)
    bench = bench_of(engine, stacks, settings)
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what="time.sleep(600)"),
        }
    )

    with pytest.raises(BuildFailed, match="took over 3 s") as failed:
        bench.build(source)

    assert failed.value.exit_code == 124
    assert_nothing_is_left(engine)


def test_a_build_that_wants_too_much_memory_is_told_so(
    engine: DockerEngine, stacks: Stacks, build_settings: BuildSettings, clone: MakeClone
) -> None:
    settings = replace(build_settings, memory_bytes=256 * 1024**2)
    bench = bench_of(engine, stacks, settings)
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what="x = b'x' * 2**30"),
        }
    )

    with pytest.raises(BuildFailed, match="ran out of memory") as failed:
        bench.build(source)

    assert "PUSHDEPLOY_BUILD_MEMORY_BYTES" in failed.value.hint


def test_a_dockerfile_says_itself_how_it_runs(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    config = {"BASE": BOOKWORM.run_tag, "BUILD_ENV": "BASE", "SECRET": "hidden"}

    slug = bench.build(clone("dockerfile").source(), config)

    assert (slug.builder, slug.stack, slug.runs_as, slug.port) == ("dockerfile", "", "image", 8000)
    assert slug.process_types == {WEB: ""}
    assert image_of(engine, slug).labels["pushdeploy.slug"] == slug.key
    assert look(engine, slug, "pwd; id -u") == ["/srv", "1000"]


def test_a_dockerfile_app_may_have_a_procfile_too(bench: Bench, clone: MakeClone) -> None:
    config = {"BASE": BOOKWORM.run_tag, "BUILD_ENV": "BASE"}
    source = clone("dockerfile").commit({"Procfile": "release: true\n"})

    slug = bench.build(source, config)

    assert (slug.process_types, slug.release_command) == ({WEB: ""}, "true")


def test_an_image_that_starts_nothing_is_refused(bench: Bench, clone: MakeClone) -> None:
    dockerfile = f"FROM {BOOKWORM.run_tag}\nCMD []\n"

    with pytest.raises(BuildFailed, match="neither CMD nor ENTRYPOINT"):
        bench.build(clone().commit({"Dockerfile": dockerfile}))


def test_an_app_that_needs_no_build_runs_as_it_is(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone().commit({"Procfile": "web: ./serve\n", "serve": "#!/bin/sh\necho served\n"})

    slug = bench.build(source)

    assert slug.builder == "null"
    assert look(engine, slug, "sh ./serve") == ["served"]
