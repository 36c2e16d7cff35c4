"""bin/bench: runs the benchmarks one after the other, prints their tables, keeps them as JSON."""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

from benchmarks import (
    deploys,
    front,
    holds,
    ledger,
    memory,
    promote,
    snapshots,
    switches,
    transport,
)
from benchmarks.measure import RUNS, Figure, keep, missed, table
from benchmarks.processor import one_core
from pushdeploy.domain.errors import PushdeployError
from tests.stories.harness import Server

MODULES: dict[str, ModuleType] = {
    "memory": memory,
    "deploys": deploys,
    "promote": promote,
    "switches": switches,
    "front": front,
    "holds": holds,
    "ledger": ledger,
    "snapshots": snapshots,
    "transport": transport,
}
ONE_CORE = "-one-core"
_LOG_CHARACTERS = 4000


def main() -> int:
    """One that fails does not keep the others from being measured."""
    arguments = _arguments()
    # A shell's background job ignores Ctrl-C, and so would the clients that are stopped by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _end)  # Docker gets its cores back, and containers go
    with one_core() if arguments.one_core else nullcontext():
        results = [_bench(name, arguments) for name in arguments.names or MODULES]
    return 0 if all(results) else 1


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)


def _bench(name: str, arguments: argparse.Namespace) -> bool:
    """Whether it could be measured and every aim was met."""
    server = Server(Path(tempfile.mkdtemp(prefix="pushdeploy-")))
    try:
        server.create()
        server.start()
        measure: Callable[..., list[Figure]] = MODULES[name].measure
        figures = measure(server, arguments.runs, quick=arguments.quick)
    except (AssertionError, PushdeployError, OSError, subprocess.SubprocessError) as error:
        _complain(name, error, server.log())
        return False
    finally:
        server.close()
    return _show(name, figures, arguments)


def _show(name: str, figures: Sequence[Figure], arguments: argparse.Namespace) -> bool:
    title = (MODULES[name].__doc__ or name).strip()
    manner = f"{name}{ONE_CORE}" if arguments.one_core else name
    sys.stdout.write(table(f"{manner}: {title}", figures) + "\n")
    sys.stdout.flush()
    keep(f"{manner}-quick" if arguments.quick else manner, figures)
    short = missed(figures)
    for figure in short:
        sys.stderr.write(f" !     {name}: {figure.name} is not {figure.aim}\n")
    return not short


def _complain(name: str, error: Exception, log: str) -> None:
    """What failed, what it said, and the end of the server's log."""
    sys.stderr.write(f" !     {name}: {str(error).strip() or repr(error)}\n")
    if isinstance(error, subprocess.CalledProcessError | subprocess.TimeoutExpired):
        for said in (error.stdout, error.stderr):
            sys.stderr.write(
                said.decode(errors="replace") if isinstance(said, bytes) else said or ""
            )
    if log:
        sys.stderr.write(f" !     {name}: the server's log ends so:\n{log[-_LOG_CHARACTERS:]}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which of {', '.join(MODULES)}; all when none"
    )
    parser.add_argument("--runs", type=_positive, default=RUNS, help="interleaved runs of each row")
    parser.add_argument("--quick", action="store_true", help="without the rows that take minutes")
    parser.add_argument(
        "--one-core", action="store_true", help="clients, server and Docker share one core"
    )
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in MODULES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(MODULES)}")
    return arguments


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
