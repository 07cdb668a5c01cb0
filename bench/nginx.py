"""nginx on a loopback port, in a container of the image that the stacks have: quick as real ones."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.loopback import BODY
from toolchain.pins import load_pins

_READY_S = 20.0
_FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_CONFIG = f"""
daemon off; worker_processes 1; pid /tmp/nginx.pid; error_log stderr crit;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h;
  {" ".join(f"{name}_temp_path /tmp/{name};" for name in _FOLDERS)}
  server {{
    listen 127.0.0.1:PORT backlog=4096;
    location / {{ default_type text/plain; return 200 "{BODY.decode()}\\n"; }}
  }}
}}
"""


@contextmanager
def nginx() -> Iterator[int]:
    """The port it answers on, of this machine's loopback address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    image = load_pins()["image-ingress-nginx"].image
    assert image is not None, "the part is an image"
    run = ("docker", "run", "--rm", "--detach", "--network", "host", "--pull", "never")
    with tempfile.TemporaryDirectory(prefix="loadproof-nginx-") as folder:
        config = Path(folder) / "nginx.conf"
        config.write_text(_CONFIG.replace("PORT", str(port)))
        Path(folder).chmod(0o755)  # nginx has a user of its own
        mount = ("--volume", f"{config}:/bench.conf:ro")
        container = _output(*run, *mount, "--entrypoint", "nginx", image.reference, "-c", "/bench.conf")
        try:
            _wait_for(port)
            yield port
        finally:
            _output("docker", "rm", "--force", container.strip())


def _wait_for(port: int) -> None:
    give_up_s = time.monotonic() + _READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.1)
        else:
            return


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
