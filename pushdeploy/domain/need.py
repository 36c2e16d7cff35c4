"""A need says which permission a request asks for."""

from typing import Literal

Need = Literal["anyone", "read", "change", "admin"]
"""``anyone`` who has a key; to ``read`` or ``change`` an app; ``admin`` for keys and their like."""
