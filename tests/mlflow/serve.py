"""Runs one MLflow server for all test processes that want one, and ends it when none does.

usage: serve.py FOLDER [OPTION]...

Options are MLflow's own.

Every test that uses the server holds a shared lock on FOLDER/users for as long as it runs. The
server's address is written to FOLDER/address once it answers. When nobody has held the lock for a
while, the server is ended and the address removed.
"""

import fcntl
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

IDLE_SECONDS = 20
START_SECONDS = 120

OPTIONS = sys.argv[2:]
PREFIX = OPTIONS[OPTIONS.index("--static-prefix") + 1] if "--static-prefix" in OPTIONS else ""
TLS = any("--ssl-certfile" in option for option in OPTIONS)
SCHEME = "https" if TLS else "http"
# Whether it runs is asked; who it is, the tests see to.
ANY = ssl._create_unverified_context() if TLS else None


def start(folder: pathlib.Path) -> tuple[subprocess.Popen, str]:
    """A server on a port that the kernel picks. Somebody may take the port first: then again."""
    log = open(folder / "log", "ab")
    for _ in range(3):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        data = folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(parents=True)
        server = subprocess.Popen(
            [
                sys.executable, "-m", "mlflow", "server",
                "--backend-store-uri", f"sqlite:///{data}/mlflow.db",
                "--artifacts-destination", str(data / "artifacts"),
                "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
                *OPTIONS,
            ],
            cwd=data, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={
                **os.environ,
                "MLFLOW_ENABLE_ASSISTANT_SANDBOX": "false",
                # For basic authentication.
                "MLFLOW_FLASK_SERVER_SECRET_KEY": "of a test",
                "MLFLOW_AUTH_ADMIN_PASSWORD": "of-a-test-alone",
                # Webhooks go to loopback.
                "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
                "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
                "MLFLOW_WEBHOOK_CACHE_TTL": "1",
            },
        )
        (folder / "pid").write_text(str(server.pid))
        address = f"{SCHEME}://127.0.0.1:{port}{PREFIX}"
        deadline = time.monotonic() + START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=5, context=ANY) as answer:
                    if answer.status == 200:
                        return server, address
            except OSError:
                time.sleep(0.1)
        end(server)
    sys.exit("MLflow does not start; see the log in " + str(folder))


def end(server: subprocess.Popen) -> None:
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    server.wait()


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    # Only one of us.
    own = open(folder / "server", "w")
    fcntl.flock(own, fcntl.LOCK_EX)
    server, address = start(folder)
    published = folder / "address"
    fresh = folder / "address.new"
    fresh.write_text(address)
    fresh.rename(published)
    users = open(folder / "users", "w")
    idle = 0
    while server.poll() is None and idle < IDLE_SECONDS:
        time.sleep(1)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            idle = 0
            continue
        idle += 1
        if idle >= IDLE_SECONDS:
            # Held from here on, so that nobody comes to rely on a server that is going.
            published.unlink(missing_ok=True)
            break
        fcntl.flock(users, fcntl.LOCK_UN)
    published.unlink(missing_ok=True)
    end(server)
    shutil.rmtree(folder / "data", ignore_errors=True)


main()
