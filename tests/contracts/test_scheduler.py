"""What every scheduler does with tasks, whichever file of run/schedulers it stands in."""

import queue
import threading
from dataclasses import replace

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BootFailed, Cancelled
from pushdeploy.domain.manifest import ProcessSpec
from pushdeploy.domain.slug import Healthcheck
from pushdeploy.output import Output
from pushdeploy.route.deadline import until
from tests.contracts.schedulers import APP, SERVE, WEB1, WORKER1, WORKER2, Bench, changes_of

CRASHES_WHEN_TOLD = (
    'mkdir -p "$SITE"; while ! rm "$SITE/crash" 2>/dev/null; do sleep 0.05; done; exit 1'
)


def test_tasks_that_became_healthy_are_up_and_read_back(bench: Bench) -> None:
    manifest = bench.with_commands(web=SERVE, worker="echo working; sleep 60")
    said = bench.run(manifest)
    tasks = bench.scheduler.tasks(APP)
    assert {(task.slot, task.version, task.state, task.port) for task in tasks} == {
        (WEB1, 3, "up", manifest.port),
        (WORKER1, 3, "up", manifest.port),
    }
    assert all(task.address for task in tasks)
    assert all(task.image.startswith("sha256:") for task in tasks)
    told = sorted(line.split(" (")[0].strip() for line in said if " is up " in line)
    assert told == ["web.1 is up", "worker.1 is up"]


def test_tasks_see_config_their_name_and_the_port(bench: Bench) -> None:
    web = f'echo "$GREETING $DYNO $PORT"; {SERVE}'
    manifest = bench.with_commands(web=web, worker='echo "$DYNO ${PORT:-none}"; sleep 60')
    bench.run(manifest)
    said = bench.lines()
    assert ("web.1", f"hello web.1 {manifest.port}") in said
    assert ("worker.1", "worker.1 none") in said


def test_a_task_that_exits_early_fails_with_its_last_words(bench: Bench) -> None:
    manifest = bench.with_commands(web="echo cannot find my config; exit 3")
    with pytest.raises(BootFailed) as caught:
        bench.run(manifest)
    assert (
        caught.value.message == "web.1 exited with code 3 before it answered: cannot find my config"
    )
    assert caught.value.exit_code == 3
    assert caught.value.log_tail == ("cannot find my config",)
    assert caught.value.hint


def test_a_failed_start_leaves_none_of_its_tasks_but_all_of_the_others(bench: Bench) -> None:
    former = bench.with_commands(worker="sleep 60")
    bench.run(former)
    before = bench.scheduler.tasks()
    next_one = replace(bench.with_commands(worker="sleep 60", other="exit 1"), version=4)
    with pytest.raises(BootFailed):
        bench.run(next_one)
    assert bench.scheduler.tasks() == before


def test_web_that_does_not_answer_fails_at_the_time_out(bench: Bench) -> None:
    manifest = replace(bench.with_commands(web="echo idle; sleep 60"), boot_timeout_seconds=1.5)
    with pytest.raises(BootFailed) as caught:
        bench.run(manifest)
    port = manifest.port
    assert caught.value.message == f"web.1 did not answer on port {port} within 1.5 s"
    assert caught.value.log_tail == ("idle",)
    assert bench.scheduler.tasks() == []


def test_a_worker_must_stay_up_for_a_second(bench: Bench) -> None:
    with pytest.raises(BootFailed, match=r"worker\.1 exited with code 0 before it had been up"):
        bench.run(bench.with_commands(worker="sleep 0.4"))


def test_the_apps_own_check_decides(bench: Bench) -> None:
    bad = Healthcheck("ready", path="/none", attempts=2, wait_seconds=0.1, timeout_seconds=5)
    manifest = bench.with_processes(web=ProcessSpec(SERVE, 1, [bad]))
    with pytest.raises(BootFailed, match="check ready: /none answered with status 404"):
        bench.run(manifest)
    good = replace(bad, path="/ok", content="fine")
    bench.run(bench.with_processes(web=ProcessSpec(SERVE, 1, [good])))


def test_a_check_by_command_runs_inside(bench: Bench) -> None:
    bad = Healthcheck("inside", command=["/bin/sh", "-c", "exit 5"], attempts=2, wait_seconds=0.1)
    with pytest.raises(BootFailed, match="check inside: exit code 5"):
        bench.run(bench.with_processes(worker=ProcessSpec("sleep 60", 1, [bad])))
    good = replace(bad, command=["/bin/sh", "-c", "exit 0"])
    bench.run(bench.with_processes(worker=ProcessSpec("sleep 60", 1, [good])))


def test_a_cancel_ends_a_start_and_leaves_nothing(bench: Bench) -> None:
    cancellation = Cancellation()
    manifest = replace(
        bench.with_commands(web="sleep 3600", worker="sleep 3600"), boot_timeout_seconds=3600
    )
    with bench.engine.events() as events:

        def cancel() -> None:
            next(event for event in events if event.action == "start")
            cancellation.cancel("the client has gone")

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(Cancelled):
            bench.scheduler.run(manifest, manifest.slots(), Output(), cancellation)
        canceller.join(10)
    assert bench.scheduler.tasks() == []


def test_stop_lets_tasks_end_and_keeps_their_logs(bench: Bench) -> None:
    bench.run(bench.with_commands(worker="trap 'echo bye; exit 0' TERM; echo hi; sleep 60 & wait"))
    bench.scheduler.stop(bench.scheduler.tasks(), 10)
    assert bench.scheduler.tasks() == []
    assert bench.lines() == [("worker.1", "hi"), ("worker.1", "bye")]


def test_stop_reaches_the_children_of_the_shell(bench: Bench) -> None:
    child = "trap 'sleep 0.3; echo child done; exit 0' TERM; echo up; sleep 60 & wait"
    bench.run(bench.with_commands(worker=f'cd / && /bin/sh -c "{child}"'))
    bench.scheduler.stop(bench.scheduler.tasks(), 10)
    assert bench.lines()[-1] == ("worker.1", "child done")


def test_a_task_that_crashes_is_reported_and_comes_back(bench: Bench) -> None:
    with changes_of(bench.scheduler) as changes:
        assert changes.get(timeout=20) is None
        bench.run(bench.with_commands(worker=CRASHES_WHEN_TOLD))
        (task,) = bench.scheduler.tasks(APP)
        tell = ["/bin/sh", "-c", 'touch "$SITE/crash"']
        # The container that ends may take this along.
        assert bench.engine.execute(task.container, tell, 60) in {0, 137}
        assert changes.get(timeout=20) == APP
        assert changes.get(timeout=20) == APP
    assert [task.state for task in bench.scheduler.tasks(APP)] == ["up"]


def test_what_the_scheduler_does_itself_is_no_change(bench: Bench) -> None:
    with changes_of(bench.scheduler) as changes:
        assert changes.get(timeout=20) is None
        bench.run(bench.with_commands(worker="sleep 60"))
        bench.scheduler.stop(bench.scheduler.tasks(), 5)
        bench.once("true")
        with pytest.raises(queue.Empty):
            changes.get(timeout=0.5)


def test_a_never_healthy_task_of_a_killed_server_counts_as_stopped(bench: Bench) -> None:
    bench.run(bench.with_commands(worker="sleep 60"))
    (task,) = bench.scheduler.tasks()
    bench.engine.keep_running(task.container, always=False)
    successor = bench.successor()
    assert [task.state for task in successor.tasks()] == ["stopped"]
    bench.engine.keep_running(task.container, always=True)
    assert [task.state for task in successor.tasks()] == ["up"]


def test_logs_are_merged_by_time_and_cut_to_the_newest(bench: Bench) -> None:
    bench.run(
        bench.with_commands(
            a="echo a1; sleep 2.5; echo a2; sleep 60", b="sleep 1.2; echo b1; sleep 60"
        )
    )
    assert until(lambda: len(bench.lines()) == 3, 20)
    assert bench.lines() == [("a.1", "a1"), ("b.1", "b1"), ("a.1", "a2")]
    assert bench.lines(tail=2) == [("b.1", "b1"), ("a.1", "a2")]
    assert bench.lines("b") == [("b.1", "b1")]
    assert bench.lines("a.1", tail=1) == [("a.1", "a2")]
    assert bench.lines("a.2") == []


def test_following_logs_goes_on_with_tasks_that_start_later(bench: Bench) -> None:
    bench.run(bench.with_commands(worker="echo old; sleep 60"))
    done = threading.Event()
    seen: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def follow() -> None:
        found = bench.scheduler.logs(APP, tail=10, follow=True, process=None, stop=done.is_set)
        for slot, line in filter(None, found):
            seen.put((slot, line.text))

    thread = threading.Thread(target=follow)
    thread.start()
    assert seen.get(timeout=20) == ("worker.1", "old")
    later = replace(
        bench.with_processes(worker=ProcessSpec("echo new; sleep 1.3; echo more; sleep 60", 2)),
        version=4,
    )
    bench.run(later, WORKER2)
    assert seen.get(timeout=20) == ("worker.2", "new")
    assert seen.get(timeout=20) == ("worker.2", "more")
    done.set()
    thread.join(10)
    assert not thread.is_alive()
    assert seen.empty()
