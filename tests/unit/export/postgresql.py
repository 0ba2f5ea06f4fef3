"""A PostgreSQL server of Debian in a temporary folder, for tests that load tables."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

DEBIAN = "/usr/lib/postgresql"


class Server:
    """A running server, which listens on a socket in its folder only."""

    def __init__(self, folder, user):
        self.folder, self.user = folder, user

    def run(self, *commands):
        """Run SQL and commands of psql; the first error ends it."""
        sql = [part for command in commands for part in ("--command", command)]
        command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--csv"]
        options = ["--set=ON_ERROR_STOP=1", f"--host={self.folder}", f"--username={self.user}"]
        done = subprocess.run(
            [*command, *options, *sql, "postgres"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def program(name):
    """The path of a program of the server; Debian has them outside of the PATH."""
    found = list(Path(DEBIAN).glob(f"*/bin/{name}"))
    path = shutil.which(name) or (str(max(found)) if found else None)
    if path is None or shutil.which("psql") is None:
        pytest.skip("the PostgreSQL server is not installed")
    return path


def unprivileged():
    """The account that runs the server, which refuses root."""
    if os.geteuid():
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    pytest.skip("no unprivileged account for the PostgreSQL server")


@contextlib.contextmanager
def postgresql():
    """Start a server in a new folder; stop it whatever happens."""
    initdb, postgres = program("initdb"), program("postgres")
    account = unprivileged()
    other = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    run_as = other if account.pw_uid != os.geteuid() else {}
    # a short path: the name of a socket has at most 107 bytes
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        shutil.chown(folder, account.pw_uid, account.pw_gid)
        made = [initdb, "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        subprocess.run(
            [*made, f"--username={account.pw_name}", f"--pgdata={folder}/data"],
            check=True, capture_output=True, cwd=folder, **run_as,
        )  # fmt: skip
        settings = [f"unix_socket_directories={folder}", "listen_addresses=", "fsync=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [postgres, "-D", f"{folder}/data", *options],
                stdout=log, stderr=log, cwd=folder, **run_as,
            )  # fmt: skip
        try:
            _wait(process, folder)
            yield Server(folder, account.pw_name)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process, folder):
    ready = ["pg_isready", "--quiet", f"--host={folder}"]
    for _ in range(300):
        assert process.poll() is None, (folder / "log").read_text()
        if subprocess.run(ready, timeout=10, check=False).returncode == 0:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
    pytest.fail((folder / "log").read_text())
