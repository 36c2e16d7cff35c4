"""The floor of a deploy: bare docker build, run, run, reload of nginx, by the shortest script."""

import os
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.stories.means import free_ports, outer_environment

_NGINX = """\
daemon on; pid {root}/nginx.pid; error_log {root}/error.log; worker_processes auto;
events {{ worker_connections 512; }}
http {{ access_log off; include {root}/upstream.conf;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://app; }} }} }}
"""

_BUILD = "docker build -q -t {tag} {source} >/dev/null\n"

_RELEASE = """\
{release}
asked="--init --memory 512m -e PORT=5000 -e WEB_CONCURRENCY=2"
web=$(docker run -d $asked {mount} {tag} sh -c {web})
ip=$(docker inspect -f '{{{{.NetworkSettings.IPAddress}}}}' $web)
until curl -fso /dev/null http://$ip:5000/; do sleep 0.01; done
echo "upstream app {{ server $ip:5000; }}" > {root}/upstream.conf
kill -HUP $(cat {root}/nginx.pid)
old=$(cat {root}/web 2>/dev/null || true)
echo $web > {root}/web
if [ -n "$old" ]; then docker rm -f $old >/dev/null & fi
"""


@dataclass
class Floor:
    """``base`` holds the dependencies already; ``build`` are further lines of the Dockerfile."""

    root: Path
    source: Path
    nginx: str
    base: str
    web: str
    release: str = ""
    build: str = ""
    port: int = 0
    turn: int = 0

    def start(self) -> None:
        (self.port,) = free_ports(1)
        (self.root / "disk").mkdir(parents=True)
        (self.root / "disk").chmod(0o777)
        (self.root / "nginx.conf").write_text(_NGINX.format(root=self.root, port=self.port))
        (self.root / "upstream.conf").write_text("upstream app { server 127.0.0.1:1; }\n")
        lines = [f"FROM {self.base}", "COPY --chown=1000:1000 . /app", "WORKDIR /app", self.build]
        (self.source / "Dockerfile").write_text("\n".join(lines) + "\n")
        (self.source / ".dockerignore").write_text(".git\nDockerfile\n")
        subprocess.run(
            [self.nginx, "-c", f"{self.root}/nginx.conf", "-p", str(self.root)], check=True
        )

    def deploy(self) -> None:
        """Build, release, run, reload: as a person without pushdeploy would script it."""
        self.turn += 1
        self._bash(_BUILD + _RELEASE)

    def prepare(self) -> None:
        """The image alone, for ``promote``."""
        self.turn += 1
        self._bash(_BUILD)

    def promote(self) -> None:
        """All but the build: what a promotion does."""
        self._bash(_RELEASE)

    def _bash(self, lines: str) -> None:
        tag = f"pushdeploy-floor-{self.root.name.lower()}:{self.turn}"
        mount = f"-v {self.root}/disk:/data -e DISK_PATH=/data"
        release = f"docker run --rm --init {mount} {tag} sh -c {shlex.quote(self.release)}"
        script = ("set -e\n" + lines).format(
            tag=tag,
            source=self.source,
            root=self.root,
            mount=mount,
            web=shlex.quote(self.web),
            release=release if self.release else ":",
        )
        environment = {**outer_environment(), "DOCKER_BUILDKIT": "1", "PATH": _path()}
        subprocess.run(["bash", "-c", script], check=True, env=environment, capture_output=True)

    def stop(self) -> None:
        """Take away what it made, and nothing else."""
        subprocess.run(
            [self.nginx, "-c", f"{self.root}/nginx.conf", "-p", str(self.root), "-s", "stop"],
            check=False,
        )
        web = self.root / "web"
        if web.exists():
            subprocess.run(
                ["docker", "rm", "-f", web.read_text().strip()], check=False, capture_output=True
            )
        time.sleep(0.5)
        tags = [f"pushdeploy-floor-{self.root.name.lower()}:{n}" for n in range(1, self.turn + 1)]
        subprocess.run(["docker", "rmi", "-f", *tags], check=False, capture_output=True)


def _path() -> str:
    """Debian's docker first: its client has BuildKit."""
    return f"/usr/bin:/bin:{os.environ.get('PATH', '')}"
