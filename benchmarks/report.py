"""Puts the figures that bin/bench kept into docs/benchmarks.md: python -m benchmarks.report."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.bench import MODULES, ONE_CORE
from benchmarks.measure import RESULTS

_PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
_START, _END = "<!-- figures: python -m benchmarks.report -->\n", "<!-- end of figures -->\n"


def main() -> int:
    """Only whole runs count: those with --quick are kept apart."""
    names = [f"{name}{manner}" for name in MODULES for manner in ("", ONE_CORE)]
    kept = {name: RESULTS / f"{name}.json" for name in names}
    results = {name: json.loads(path.read_text()) for name, path in kept.items() if path.exists()}
    before, _, rest = _PAGE.read_text().partition(_START)
    after = rest.partition(_END)[2]
    tables = "\n".join(line for name, result in results.items() for line in _table(name, result))
    _PAGE.write_text(f"{before}{_START}\n{tables}\n{_END}{after}")
    sys.stdout.write(f"{_PAGE}: {', '.join(results) or 'nothing'}\n")
    return 0


def _table(name: str, result: Mapping[str, Any]) -> Iterator[str]:
    machine = result["machine"]
    day = time.strftime("%Y-%m-%d", time.gmtime(result["measured_at"]))
    yield f"### {name}\n"
    yield (
        f"{day}, {machine['cores']} cores, Linux {machine['kernel']}, "
        f"load {machine['load'][0]:.1f} at the end.\n"
    )
    yield "| what | median | min to max | n | ratio | aim |"
    yield "|---|---|---|---|---|---|"
    for row in result["figures"]:
        yield _row(row)
    yield ""


def _row(row: Mapping[str, Any]) -> str:
    runs, unit = row["runs"], row["unit"]
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    spread = "" if len(runs) == 1 else f"{min(runs):.3g} to {max(runs):.3g}"
    aim = f"{row['aim']} **missed**" if row["met"] is False else row["aim"]
    cells = (row["name"], f"{row['median']:.3g} {unit}".rstrip(), spread, str(len(runs)))
    return f"| {' | '.join((*cells, ratio, aim))} |"


if __name__ == "__main__":
    sys.exit(main())
