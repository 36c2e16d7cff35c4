"""What somebody who wants something needs to be allowed."""

from typing import Literal

Need = Literal["anyone", "read", "change", "admin"]
"""``anyone`` who has a key; to ``read`` or ``change`` an app; ``admin`` for keys and their like."""
