"""Whether the doctor, and so the server, is run by root."""

import os

from pushdeploy.doctor.check import Check
from pushdeploy.domain.finding import Finding


def check_user(user: int) -> Finding:
    return Finding(
        "user",
        user == 0,
        "root" if user == 0 else f"uid {user}: disks need chown and port 80 needs root",
        "sudo pushdeploy serve",
    )


CHECK = Check(10, lambda _: [check_user(os.geteuid())])
