"""Interleaved runs, medians and ratios: the arithmetic of bin/bench, apart from what it measures."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RUNS = 7


@dataclass
class Figure:
    """One row: the seconds (or other unit) of each run, and what the row is compared with."""

    name: str
    unit: str = "s"
    runs: list[float] = field(default_factory=list)
    reference: str | None = None
    aim: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.runs)


def interleaved(
    measures: Mapping[str, Callable[[], float]], runs: int = RUNS, warm_up: int = 1
) -> dict[str, list[float]]:
    """Run every measure in turn, A B A B, ``runs`` times after the warm-up: what each returned."""
    results: dict[str, list[float]] = {name: [] for name in measures}
    for turn in range(warm_up + runs):
        for name, measure in measures.items():
            value = measure()
            if turn >= warm_up:
                results[name].append(value)
            progress(f"{name}: {value:.3f}")
    return results


def timed(action: Callable[[], object]) -> float:
    """The wall seconds of ``action``."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def table(title: str, figures: Sequence[Figure]) -> str:
    """Medians with their spread, and the ratio to each row's reference in the same run."""
    by_name = {figure.name: figure for figure in figures}
    rows = [["what", "median", "min", "max", "n", "ratio", "aim"]]
    for figure in figures:
        reference = by_name.get(figure.reference or "")
        ratio = f"{figure.median / reference.median:.2f}" if reference else ""
        spread = [f"{value:.3g} {figure.unit}" for value in (figure.median, *_spread(figure))]
        rows.append([figure.name, *spread, str(len(figure.runs)), ratio, figure.aim])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([f"== {title}", *lines, ""])


def keep(name: str, figures: Sequence[Figure]) -> Path:
    """Write the figures as JSON beside the others: the path."""
    directory = Path(__file__).parent / "results"
    directory.mkdir(exist_ok=True)
    path = directory / f"{name}.json"
    by_name = {figure.name: figure for figure in figures}
    rows = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "median": figure.median,
            "runs": figure.runs,
            "aim": figure.aim,
            "ratio": figure.median / by_name[figure.reference].median
            if figure.reference in by_name
            else None,
        }
        for figure in figures
    ]
    path.write_text(json.dumps({"measured_at": time.time(), "figures": rows}, indent=2) + "\n")
    return path


def progress(text: str) -> None:
    """A line for the person who waits."""
    sys.stderr.write(f"       {text}\n")


def _spread(figure: Figure) -> tuple[float, float]:
    return min(figure.runs), max(figure.runs)
