"""Sizes as people read them."""


def about_bytes(size_bytes: int) -> str:
    """Write a size to one decimal, for reading: ``1.4 MB``."""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TB"
