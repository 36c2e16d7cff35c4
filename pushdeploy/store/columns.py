"""Column types give back the values that were put in, on every database."""
# ruff: noqa: ARG002 - the methods' parameters are SQLAlchemy's

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Text
from sqlalchemy.types import TypeDecorator

_UNKNOWN = datetime.fromtimestamp(0, UTC)
"""What is read where a column holds no moment."""


class Moment(TypeDecorator[datetime]):
    """A moment is an aware datetime, kept in UTC: SQLite itself forgets the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        return partial(_read_or, super().result_processor(dialect, coltype), _UNKNOWN)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class FreeText(TypeDecorator[str]):
    """Characters that no database takes (NUL, lone surrogates) become U+FFFD or ?."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


UNREADABLE = object()
"""What is read where a column holds no JSON at all."""


class Json(TypeDecorator[Any]):
    """A value is kept as JSON. Text that is none is read as ``UNREADABLE``, and costs no row."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        return partial(_read_or, super().result_processor(dialect, coltype), UNREADABLE)


def _read_or(read: Callable[[Any], Any] | None, instead: Any, stored: Any) -> Any:
    try:
        return stored if read is None else read(stored)
    except (ValueError, TypeError, RecursionError):
        return instead
