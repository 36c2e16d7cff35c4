"""The gate that tasks are made ready behind."""

from concurrent.futures import ThreadPoolExecutor

from pushdeploy.locks.start_gate import OneTimeGate


def test_tasks_begin_when_the_gate_opens_and_not_before() -> None:
    gate = OneTimeGate()
    with ThreadPoolExecutor(3) as pool:
        tasks = [pool.submit(gate.wait) for _ in range(3)]
        assert gate.await_ready(3, 20)
        assert not any(task.done() for task in tasks)
        gate.open()
        assert [task.result(20) for task in tasks] == [True, True, True]


def test_tasks_behind_a_gate_that_is_shut_never_begin() -> None:
    gate = OneTimeGate()
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(gate.wait)
        assert gate.await_ready(1, 20)
        gate.shut()
        assert task.result(20) is False


def test_what_was_decided_first_stays() -> None:
    opened, shut = OneTimeGate(), OneTimeGate()
    opened.open()
    opened.shut()
    shut.shut()
    shut.open()
    assert (opened.wait(), shut.wait()) == (True, False)


def test_nobody_waits_for_tasks_when_it_is_decided_that_they_never_begin() -> None:
    gate = OneTimeGate()
    gate.shut()
    assert gate.await_ready(1, 20) is False


def test_nobody_waits_for_tasks_for_ever() -> None:
    assert OneTimeGate().await_ready(1, 0.01) is False


def test_a_gate_knows_the_containers_in_which_tasks_wait() -> None:
    gate = OneTimeGate()
    with ThreadPoolExecutor(2) as pool:
        tasks = [pool.submit(gate.wait, "abc"), pool.submit(gate.wait)]
        assert gate.await_ready(2, 20)
        assert gate.containers == ("abc",)
        gate.open()
    assert [task.result() for task in tasks] == [True, True]
