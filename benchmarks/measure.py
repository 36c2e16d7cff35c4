"""Interleaved runs, medians, ratios: the arithmetic of bin/bench, whatever it measures."""

import json
import operator
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

RUNS = 7
RESULTS = Path(__file__).parent / "results"

_AIM = re.compile(r"(<=|<|>=|>|)\s*([0-9.]+)")
_HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "": operator.eq,
}


@dataclass
class Figure:
    """One row: the seconds (or other unit) of each run, and what the row is compared with.

    ``aim`` ("<= 1.3", or a number alone) is for the ratio where there is a reference, else for the
    median.
    """

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


def ratios(figures: Sequence[Figure]) -> dict[str, float]:
    """Of the medians of each row that has a reference and of that, by the row's name."""
    by_name = {figure.name: figure for figure in figures}
    return {
        figure.name: figure.median / by_name[figure.reference].median
        for figure in figures
        if figure.reference is not None
    }


def missed(figures: Sequence[Figure]) -> list[Figure]:
    """Those whose aim was not met."""
    found = ratios(figures)
    return [
        figure
        for figure in figures
        if figure.aim and not _holds(figure.aim, found.get(figure.name, figure.median))
    ]


def table(title: str, figures: Sequence[Figure]) -> str:
    """Medians with their spread, and the ratio to each row's reference in the same run."""
    found, short = ratios(figures), missed(figures)
    rows = [["what", "median", "min", "max", "n", "ratio", "aim"]]
    for figure in figures:
        ratio = f"{found[figure.name]:.2f}" if figure.name in found else ""
        spread = (figure.median, min(figure.runs), max(figure.runs))
        shown = [f"{value:.3g} {figure.unit}".rstrip() for value in spread]
        verdict = " MISSED" if figure in short else ""
        rows.append([figure.name, *shown, str(len(figure.runs)), ratio, f"{figure.aim}{verdict}"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([f"== {title}", *lines, ""])


def keep(name: str, figures: Sequence[Figure]) -> Path:
    """Write the figures, and on what they were measured, as JSON beside the others: the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    found, short = ratios(figures), missed(figures)
    rows = [
        {
            "name": figure.name,
            "unit": figure.unit,
            "median": figure.median,
            "runs": figure.runs,
            "aim": figure.aim,
            "ratio": found.get(figure.name),
            "met": figure not in short if figure.aim else None,
        }
        for figure in figures
    ]
    machine = {"cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()}
    kept = {"measured_at": time.time(), "machine": machine, "figures": rows}
    path.write_text(json.dumps(kept, indent=2) + "\n")
    return path


def progress(text: str) -> None:
    """A line for the person who waits."""
    sys.stderr.write(f"       {text}\n")


def _holds(aim: str, value: float) -> bool:
    match = _AIM.fullmatch(aim)
    assert match, f"{aim!r} is not an aim, as in <= 1.3"
    return _HOLDS[match[1]](value, float(match[2]))
