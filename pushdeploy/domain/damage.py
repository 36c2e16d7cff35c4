"""Damage: what is kept of an app and cannot be read, with what holds instead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """``where`` names the owner and the field; ``instead`` is what holds, ``mend`` what to type."""

    where: str
    instead: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where} cannot be read: {self.instead}"
