"""Asks a reader about the databases of a copy, and believes nothing of the answer's form."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pushdeploy
from pushdeploy.domain.rehearsal import Contents, DatabaseContents, Table
from pushdeploy.domain.time_out import timing_out

_COMMAND = (sys.executable, "-S", "-P", "-X", "utf8", "-m", "pushdeploy.disks.database_reader")
_SECONDS = 30.0
_MOST_BYTES = 16 * 1024 * 1024


def read_databases(tree: Path, uid: int, seconds: float = _SECONDS) -> Contents:
    """Read all SQLite databases below ``tree``, which is a copy and nobody's live disk.

    Rows that cannot be counted within ``seconds`` are not. Whatever goes wrong is told in the
    answer, for it is the app that has written what is read.
    """
    wanted = {"tree": str(tree), "uid": uid, "seconds": seconds, "server": os.getpid()}
    with subprocess.Popen(
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.defpath, "PYTHONPATH": str(Path(pushdeploy.__file__).parent.parent)},
    ) as reader:
        if reader.stdin is None or reader.stdout is None:
            raise AssertionError("both are pipes")
        try:
            with timing_out(seconds * 2, reader.kill):
                with reader.stdin as asked:
                    asked.write(json.dumps(wanted).encode())
                text = reader.stdout.read(_MOST_BYTES)
        except BrokenPipeError:
            text = b""
        finally:
            reader.kill()
    return contents_of(text)


def contents_of(text: bytes) -> Contents:
    """Parse the answer of a reader, however broken it is."""
    try:
        answer = json.loads(text)
        databases = {str(name): _database(each) for name, each in answer["databases"].items()}
        return Contents(databases, str(answer["trouble"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Contents({}, "the databases could not be read")


def _database(found: Mapping[str, Any]) -> DatabaseContents:
    tables = {
        str(name): Table(_texts(table["columns"]), _count(table["rows"]))
        for name, table in found["tables"].items()
    }
    return DatabaseContents(tables, _texts(found["indexes"]), str(found["trouble"]))


def _texts(found: Mapping[str, Any]) -> Mapping[str, str]:
    return {str(name): str(text) for name, text in found.items()}


def _count(found: Any) -> int | None:
    return None if found is None else int(found)
