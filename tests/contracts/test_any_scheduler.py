"""What every scheduler does, and the one in memory too, on which the tests of commands rely."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BootFailed, Cancelled
from pushdeploy.domain.names import AppName
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.task import Task
from pushdeploy.locks.start_gate import OneTimeGate
from pushdeploy.output import Quiet
from tests.contracts.schedulers import APP, BROKEN1, WORKER1, WORKER2, AnyBench, Typed


def test_healthy_tasks_are_up_and_read_back(any_bench: AnyBench) -> None:
    manifest = any_bench.manifest
    tasks = any_bench.run(WORKER1, WORKER2)
    assert tasks == any_bench.tasks() == any_bench.tasks(APP)
    assert any_bench.tasks(AppName("blog")) == []
    facts = {(task.app, task.version, task.state, task.port, task.exit_code) for task in tasks}
    assert facts == {(APP, 3, "up", manifest.port, None)}
    assert [task.slot for task in tasks] == [WORKER1, WORKER2]
    assert len({task.container for task in tasks}) == 2
    assert all(task.address and task.image for task in tasks)


def test_a_start_that_fails_leaves_the_tasks_of_others(any_bench: AnyBench) -> None:
    before = any_bench.run(WORKER1)
    with pytest.raises(BootFailed, match=str(BROKEN1)) as caught:
        any_bench.run(BROKEN1, WORKER2)
    assert caught.value.log_tail
    assert any_bench.tasks() == before


def test_tasks_that_are_stopped_are_gone_and_no_others(any_bench: AnyBench) -> None:
    one, two = any_bench.run(WORKER1, WORKER2)
    any_bench.scheduler.stop([one], 5)
    assert any_bench.tasks() == [two]
    any_bench.scheduler.stop([two, one], 5)
    assert any_bench.tasks() == []


@pytest.mark.parametrize("opens", [True, False])
def test_tasks_behind_a_gate_begin_when_it_opens_or_never(any_bench: AnyBench, opens: bool) -> None:
    gate = OneTimeGate()
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(any_bench.run, WORKER1, gate=gate)
        assert gate.await_ready(1, 60)
        assert not started.done()
        if opens:
            gate.open()
            assert [task.slot for task in started.result(60)] == [WORKER1]
            any_bench.scheduler.confirm(started.result())
        else:
            gate.shut()
            with pytest.raises(Cancelled):
                started.result(60)
    assert len(any_bench.tasks()) == opens


@pytest.mark.parametrize("opens", [True, False])
def test_a_one_off_behind_a_gate_begins_when_it_opens_or_never(
    any_bench: AnyBench, opens: bool
) -> None:
    gate, told = OneTimeGate(), list[int]()
    one_off = OneOff(any_bench.manifest, "exit 0", "run.1", 60)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            any_bench.scheduler.run_once, one_off, Typed(), Cancellation(), gate, told.append
        )
        assert gate.await_ready(1, 60)
        assert (running.done(), told) == (False, [])
        if opens:
            gate.open()
            assert (running.result(60), told) == (0, [0])
        else:
            gate.shut()
            with pytest.raises(Cancelled):
                running.result(60)
            assert told == []
    assert any_bench.tasks() == []


def test_what_is_tried_out_never_was_a_task(any_bench: AnyBench) -> None:
    manifest = replace(any_bench.manifest, rehearsal=True)
    tried = any_bench.scheduler.try_out(manifest, WORKER1, 5, Quiet(), Cancellation())
    assert tried.boot_seconds > 0
    with pytest.raises(BootFailed, match=str(BROKEN1)):
        any_bench.scheduler.try_out(manifest, BROKEN1, 5, Quiet(), Cancellation())
    assert any_bench.tasks() == []


def test_running_tasks_are_specimens_of_their_app(any_bench: AnyBench) -> None:
    [task] = any_bench.run(WORKER1)
    [found] = any_bench.scheduler.specimens(APP)
    assert (found.app, found.container, found.image) == (APP, task.container, task.image)
    assert (found.place, found.version, found.is_task) == ("worker.1", 3, True)
    assert any_bench.scheduler.specimens(AppName("blog")) == []


def test_nothing_is_left_of_servers_that_never_were(any_bench: AnyBench) -> None:
    assert any_bench.scheduler.remove_strays() == 0
    assert any_bench.scheduler.finish_once(APP, "release.1", 1, print) is None
    assert any_bench.scheduler.deaths(APP, 3) == []
    assert any_bench.scheduler.written_bytes() == {}
    assert any_bench.scheduler.kill_one_off("0" * 64) == ""
    assert any_bench.scheduler.listening(list[Task]()) == []
