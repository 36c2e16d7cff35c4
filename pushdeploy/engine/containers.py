"""The calls that make, start, stop, inspect and list containers."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pushdeploy.domain.container import ISOLATED, ContainerInfo, ContainerSpec
from pushdeploy.domain.time_out import timing_out
from pushdeploy.engine.connection import ANSWER_SECONDS, Stream
from pushdeploy.engine.errors import Conflict, Missing, answering
from pushdeploy.engine.network import Network
from pushdeploy.engine.payloads import (
    INSTANCE_LABEL,
    container_info,
    container_request,
    label_filter,
    restart_policy,
)

TIMED_OUT = 124
"""What timeout(1) exits with."""

_EXIT_CODE_SECONDS = 2


class Containers(Network):
    """Calls about one container at a time, and the list of all."""

    def create(self, spec: ContainerSpec) -> str:
        request = container_request(spec, self.instance, self._network_of(spec))
        with answering(f"create {spec.name} from {spec.image}"):
            made = self.api.create_container_from_config(  # type: ignore[no-untyped-call]
                request, spec.name
            )
            return str(made["Id"])

    def start(self, container: str) -> None:
        with answering(f"start {container[:12]}"):
            self.api.start(container)

    def stop(self, container: str, grace_seconds: int) -> None:
        with suppress(Missing), answering(f"stop {container[:12]}"):
            self.api.stop(container, timeout=grace_seconds)

    def signal(self, container: str, name: str) -> None:
        with suppress(Missing, Conflict), answering(f"signal {container[:12]}"):
            self.api.kill(container, name)

    def wait(self, container: str) -> int:
        with answering(f"wait for {container[:12]}"):
            return int(self.api.wait(container, timeout=None)["StatusCode"])

    def remove(self, container: str) -> None:
        try:
            with suppress(Missing), answering(f"remove {container[:12]}"):
                self.api.remove_container(container, v=True, force=True)
        except Conflict:
            # Somebody else is removing it at this moment: gone is gone.
            with suppress(Missing), answering(f"remove {container[:12]}"):
                self.api.wait(container, timeout=ANSWER_SECONDS, condition="removed")

    def keep_running(self, container: str, always: bool) -> None:
        with answering(f"keep {container[:12]} running"):
            self.api.update_container(container, restart_policy=restart_policy(always=always))

    def inspect(self, container: str) -> ContainerInfo | None:
        with suppress(Missing), answering(f"inspect {container[:12]}"):
            return container_info(self.api.inspect_container(container))
        return None

    def containers(self, labels: Mapping[str, str]) -> Sequence[ContainerInfo]:
        wanted = label_filter({**labels, INSTANCE_LABEL: self.instance})
        with answering("list the containers"):
            ids = [item["Id"] for item in self.api.containers(all=True, filters={"label": wanted})]
        found = [info for info in map(self.inspect, ids) if info is not None]
        return sorted(found, key=lambda info: (info.created_at, info.id))

    def layer_sizes(self) -> Mapping[str, int]:
        """The bytes that each running container has written beside its mounts, by its id."""
        wanted = {"label": label_filter({INSTANCE_LABEL: self.instance})}
        with answering("measure the containers"):
            listed = self.api.containers(size=True, filters=wanted)
        return {item["Id"]: int(item.get("SizeRw") or 0) for item in listed}

    def resize(self, container: str, columns: int, rows: int) -> None:
        with suppress(Missing, Conflict), answering(f"resize {container[:12]}"):
            self.api.resize(container, height=rows, width=columns)

    def execute(self, container: str, command: Sequence[str], timeout_seconds: float) -> int:
        """After a time-out the command may live on inside the container until that ends."""
        doing = f"run a command in {container[:12]}"
        with answering(doing):
            execution = str(self.api.exec_create(container, list(command))["Id"])
        response = self.request(
            "POST",
            f"/exec/{execution}/start",
            doing,
            json={"Detach": False, "Tty": False},
            stream=True,
            timeout_seconds=None,
        )
        stream = Stream(response, doing)
        with timing_out(timeout_seconds, stream.close):
            while stream.read(65536):
                pass
        if stream.closed:
            return TIMED_OUT
        stream.close()
        return self._exit_code_of(execution, doing)

    def _network_of(self, spec: ContainerSpec) -> str:
        if spec.network in {None, ISOLATED}:
            return self.ensure_network(isolated=spec.network == ISOLATED, alone=spec.alone)
        return str(spec.network)

    def _exit_code_of(self, execution: str, doing: str) -> int:
        """Docker closes the streams a moment before it knows the exit code."""
        deadline = time.monotonic() + _EXIT_CODE_SECONDS
        while True:
            with answering(doing):
                code = self.api.exec_inspect(execution)["ExitCode"]
            if code is not None:
                return int(code)
            if time.monotonic() > deadline:
                return TIMED_OUT
            time.sleep(0.01)
