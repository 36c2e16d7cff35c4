"""bin/bench: runs the benchmarks one after the other, prints their tables, keeps them as JSON."""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import RUNS, keep, table
from tests.stories.harness import Server

NAMES = ("memory", "deploys", "switches", "transport")


def main() -> int:
    arguments = _arguments()
    for name in arguments.names or NAMES:
        module = importlib.import_module(f"benchmarks.{name}")
        server = Server(Path(tempfile.mkdtemp(prefix="pushdeploy-")))
        try:
            server.create()
            server.start()
            figures = module.measure(server, arguments.runs)
        finally:
            server.close()
        sys.stdout.write(table(module.__doc__.strip(), figures) + "\n")
        sys.stdout.flush()
        keep(name, figures)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="which; all when none")
    parser.add_argument("--runs", type=int, default=RUNS, help="interleaved runs of each row")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
