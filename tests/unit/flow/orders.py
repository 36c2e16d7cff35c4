"""The file of orders on the disk of an app."""

from pathlib import Path

from tests.unit.commands.machine import Machine


def orders(machine: Machine) -> Path:
    """A line of it says which state the data has."""
    return machine.home / "disks" / "shop" / "data" / "orders"
