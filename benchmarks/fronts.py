"""The floor of the front: a bare nginx of the same program, with the same TLS, to the same task."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.stories.means import free_ports, wait_until

_MAIN = """\
pid nginx.pid;
error_log error.log warn;
user {user};
worker_processes auto;
worker_rlimit_nofile 65536;

events {{
    worker_connections 16384;
}}

http {{
    default_type text/plain;
    access_log access.log;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    sendfile on;
    tcp_nopush on;
    types {{ text/html html; application/javascript js; }}

    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    ssl_session_timeout 1d;
    http2 on;

    upstream app {{
        server {target};
        keepalive 16;
    }}

    server {{
        listen 127.0.0.1:{port} ssl;
        server_name {host};
        ssl_certificate {pem};
        ssl_certificate_key {pem};

        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}

        location /files/ {{
            alias {files}/;
        }}
    }}
}}
"""


@dataclass(slots=True)
class BareFront:
    """``root`` is a directory of its own; ``target`` is an address with a port, ``pem`` a file."""

    root: Path
    program: str
    user: str
    host: str
    target: str
    pem: Path
    files: Path
    port: int = field(default=0)

    def start(self) -> None:
        (self.port,) = free_ports(1)
        self.root.mkdir(parents=True)
        text = _MAIN.format(
            user=self.user,
            target=self.target,
            port=self.port,
            host=self.host,
            pem=self.pem,
            files=self.files,
        )
        (self.root / "nginx.conf").write_text(text)
        subprocess.run([self.program, "-p", f"{self.root}/", "-c", "nginx.conf"], check=True)
        wait_until((self.root / "nginx.pid").exists, 10, lambda: "the bare nginx does not start")

    def stop(self) -> None:
        subprocess.run(
            [self.program, "-p", f"{self.root}/", "-c", "nginx.conf", "-s", "stop"], check=False
        )
