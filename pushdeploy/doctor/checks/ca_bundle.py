"""Whether the certificates that builds are to trust can be read."""

import os
from pathlib import Path

from pushdeploy.doctor.check import Check
from pushdeploy.domain.finding import Finding


def check_ca_bundle(path: Path | None) -> Finding:
    if path is None:
        return Finding("CA bundle", True, "the stack's own")
    readable = path.is_file() and os.access(path, os.R_OK)
    return Finding(
        "CA bundle",
        readable,
        str(path) if readable else f"{path} cannot be read",
        "set PUSHDEPLOY_CA_BUNDLE to a PEM file",
    )


CHECK = Check(150, lambda installation: [check_ca_bundle(installation.settings.ca_bundle)])
