"""Whether clients find the host key that they know."""

from pushdeploy.doctor.check import Check, tried
from pushdeploy.ssh.keys import fingerprint

CHECK = Check(
    40, lambda installation: [tried("host key", lambda: fingerprint(installation.home.host_key))]
)
