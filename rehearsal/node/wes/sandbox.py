"""A sandbox for one run of an algorithm: namespaces by bubblewrap, and limits.

An algorithm sees these paths, and nothing else of the machine:

    /algorithm   its folder, read-only
    /view        the data of the permitted people, read-only
    /library     this library, read-only
    /run         its own folder in memory, limited in size, gone with the run

and Python's environment and ``/usr``, read-only. It has no network, no rights of root, no processes
of others, an environment of a few fixed variables, and the system calls that
:mod:`rehearsal.node.wes.system_call_filter` lets pass. What it computes leaves through one pipe
(:mod:`rehearsal.node.wes.sandbox_init`). The sandbox ends when that pipe closes, so it cannot
outlive its node.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import rehearsal
from rehearsal.errors import mismatch, shown
from rehearsal.node.wes.system_call_filter import filter_program

BUBBLEWRAP = "bwrap"
NO_BUBBLEWRAP = "bubblewrap is not installed (Debian: apt install bubblewrap)"
NAMESPACES = ("pid", "net", "ipc", "uts", "cgroup")
INIT = Path(__file__).with_name("sandbox_init.py")
MB = 1 << 20
SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/lib32",
    "/etc/ld.so.cache",
    "/etc/alternatives",
)
DEVICES = ("null", "full", "random", "urandom")  # a map of /dev/zero is memory that no limit counts
PARAMETERS = "parameters.json"  # in its folder; also the configuration of Snakemake
LONGEST_HEAD = 4096  # bytes of the first line of a frame
LOWEST_USER, USERS = 1 << 30, 1 << 29  # numbers of users that a node with the rights of root takes
ROOT_RIGHTS = ("SETUID", "SETGID", "CHOWN")  # which the first process gives up
PLUGINS = ("snakemake_executor_plugin_", "snakemake_storage_plugin_")
NEEDED = ("snakemake", "pgenlib", "pyarrow")  # by the sandbox and by the view
PROBE_S = 20.0  # seconds for the try of an empty sandbox
GRACE_S = 2.0  # seconds that a stopped sandbox has to end by itself


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Memory and CPU are those of all its processes together."""

    cpu_s: float = 600.0  # CPU seconds
    wall_s: float = 1800.0  # seconds, with the time that it waits for the network
    memory_mb: float = 2048.0
    address_space_mb: float = 4096.0  # of one process; Python and NumPy reserve more than they use
    processes: int = 64
    open_files: int = 256
    disk_mb: float = 512.0  # in its folder, which is in memory
    files: int = 10_000  # there
    output_mb: float = 160.0  # one file out
    output_files: int = 1000  # files out


@dataclass(frozen=True)
class Walls:
    """What separates a sandbox from the machine. Tests take single walls down to see them matter.

    Attributes:
        namespaces: Those that bubblewrap makes, beside that of mounts.
        filter: The filter of system calls; empty for none.
        limits: The limits.
        read_only: Paths of the machine that the sandbox sees, by their path in the sandbox.
        environment: Further environment variables.
        drops_root: Whether a node that runs as root starts the algorithm as another user.
    """

    limits: Limits = Limits()
    namespaces: tuple[str, ...] = NAMESPACES
    filter: bytes = field(default_factory=lambda: filter_program() or b"")
    read_only: Mapping[str, Path] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    drops_root: bool = True


@dataclass(frozen=True, slots=True)
class Frame:
    """What came out of a sandbox: a file, or ``log`` or ``end``. Nothing of it is trusted."""

    name: str
    content: bytes


class SandboxError(Exception):
    """What came out of a sandbox is not in the form of frames, or is too much."""


class Sandbox:
    """One running sandbox.

    Args:
        walls: What separates it from the machine.
        algorithm: Folder of the algorithm. Everybody may read it, and ``view``: a node that runs as
            root starts the algorithm as another user.
        view: Folder of the data.
        files: Text files in the algorithm's own folder, by name.
        command: The command to run there. None: Snakemake with the algorithm's Snakefile.

    Raises:
        OSError: The sandbox cannot be started.
    """

    def __init__(
        self,
        walls: Walls,
        algorithm: Path,
        view: Path,
        files: Mapping[str, str],
        command: Sequence[str] | None = None,
    ) -> None:
        self._limits = walls.limits
        places = {"/algorithm": algorithm, "/view": view, **walls.read_only}
        self._process = subprocess.Popen(
            bubblewrap(walls, places, _orders(walls, files, command or snakemake())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath)},
            start_new_session=True,  # so that Ctrl-C ends it by its node only
        )
        self._lock = threading.Lock()
        self.pid = self._process.pid

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def stop(self) -> None:
        """End the sandbox with all its processes. Any thread may call it, more than once."""
        with contextlib.suppress(OSError), self._lock:
            stdin = self._process.stdin
            if stdin is not None and not stdin.closed:
                stdin.close()  # which ends the first process, and bubblewrap with it
                last = threading.Timer(GRACE_S, self._process.kill)  # and so every process in it
                last.daemon = True
                last.start()

    def place(self, name: str, content: bytes) -> None:
        """Put a file into the algorithm's ``inbox/``.

        Args:
            name: Name of the file.
            content: Its content.

        Raises:
            OSError: The sandbox has ended.
        """
        head = json.dumps({"name": name, "size": len(content)}).encode() + b"\n"
        with self._lock:
            stdin = self._process.stdin
            if stdin is None or stdin.closed:
                raise BrokenPipeError(mismatch("sandbox", "a running one", "one that has ended"))
            stdin.write(head)
            stdin.write(content)
            stdin.flush()

    def frames(self) -> Iterator[Frame]:
        """Wait for what comes out, until the sandbox ends.

        Yields:
            Frames. The last one is ``end``, unless the sandbox was stopped.

        Raises:
            SandboxError: What comes out is not in the form of frames, or is too much.
        """
        output = self._process.stdout
        most = int(self._limits.output_mb * MB) + 1  # one byte more tells of a file that was cut
        for _ in range(self._limits.output_files + 2):
            head = b"" if output is None else output.readline(LONGEST_HEAD)
            if not head or output is None:
                return
            name, size = _head(head)
            if not 0 <= size <= most:
                raise SandboxError(mismatch("a frame's size", f"0 to {most}", shown(size)))
            content = output.read(size)
            if len(content) == size:
                yield Frame(name, content)
        raise SandboxError(mismatch("files", f"at most {self._limits.output_files}", "more"))

    def complaint(self) -> str:
        """Return the last line that bubblewrap or the first process wrote about an own failure."""
        written = self._process.stderr.read() if self._process.stderr else b""
        lines = written.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def _head(line: bytes) -> tuple[str, int]:
    """Read the first line of a frame. Raises SandboxError."""
    try:
        about = json.loads(line)
        name, size = about["name"], about["size"]
    except (ValueError, TypeError, KeyError):
        name = size = None
    if not isinstance(name, str) or type(size) is not int:
        raise SandboxError(mismatch("a frame", "a line with name and size", "other bytes"))
    return name, size


def snakemake() -> list[str]:
    """Build the command that runs the Snakefile of the algorithm."""
    python = [sys.executable, "-m", "snakemake", "--snakefile", "/algorithm/Snakefile"]
    given = ["--configfile", PARAMETERS]
    return [*python, *given, "--cores", "1", "--nolock", "--nocolor", "--quiet", "progress"]


def _orders(walls: Walls, files: Mapping[str, str], command: Sequence[str]) -> dict[str, Any]:
    """Build the orders of the first process."""
    user = LOWEST_USER + secrets.randbelow(USERS) if _is_root() and walls.drops_root else None
    return {
        "command": list(command),
        "environment": _environment() | dict(walls.environment),
        "files": dict(files),
        "filter": walls.filter.hex(),
        "limits": asdict(walls.limits),
        "user": user,  # one of its own, so that the limit of processes counts this run's only
    }


def _is_root() -> bool:
    return os.geteuid() == 0


def _environment() -> dict[str, str]:
    one_thread = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
    )
    return {
        "HOME": "/run/tmp",
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": "/library",
        "TMPDIR": "/run/tmp",
        "USER": "algorithm",  # Snakemake asks for a name, and no file of the sandbox has one
        "XDG_CACHE_HOME": "/run/tmp",
        **one_thread,
    }


def bubblewrap(walls: Walls, places: Mapping[str, Path], orders: Mapping[str, Any]) -> list[str]:
    """Build the command of a sandbox.

    Args:
        walls: What separates it from the machine.
        places: Paths of the machine by their path in the sandbox, all read-only.
        orders: The orders of the first process.

    Returns:
        The command.
    """
    command = [BUBBLEWRAP, *(f"--unshare-{name}" for name in walls.namespaces), "--clearenv"]
    command += ["--as-pid-1", "--new-session", "--die-with-parent"]
    if _is_root():
        kept = [part for name in ROOT_RIGHTS for part in ("--cap-add", f"CAP_{name}")]
        command += ["--cap-drop", "ALL", *(kept if walls.drops_root else [])]
    else:
        command += ["--unshare-user"]
    command += _folders({**_system(), **_python(), **places}, walls.limits)
    command += ["--remount-ro", "/", "--chdir", "/run", "--"]
    python = str(Path(sys.executable).resolve())
    return [*command, python, "-I", "-S", "/library/" + _in_library(INIT), json.dumps(orders)]


def _folders(shown_places: Mapping[str, Path], limits: Limits) -> list[str]:
    """Build the options of bubblewrap for what is in the sandbox."""
    options: list[str] = []
    for folder in _folders_above([*shown_places, "/dev/null"]):
        options += ["--perms", "0755", "--dir", folder]
    for target, source in shown_places.items():
        options += ["--ro-bind", str(source), target]
    for folder in _plugins():
        options += ["--tmpfs", folder, "--remount-ro", folder]
    size = str(int(limits.disk_mb * MB))
    options += ["--proc", "/proc", "--perms", "0777", "--size", size, "--tmpfs", "/run"]
    for name in DEVICES:
        options += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    # shared memory counts as space in the algorithm's folder; the root itself is a file system
    # in memory too, which must not be writable
    options += ["--symlink", "/run/shm", "/dev/shm"]
    if not any(path.startswith("/tmp/") for path in shown_places):  # of Python, in a folder there
        options += ["--symlink", "/run/tmp", "/tmp"]
    return options


def _folders_above(paths: Sequence[str]) -> list[str]:
    """List the folders above paths, the upper ones first. The root is there already."""
    above = {str(folder) for path in paths for folder in Path(path).parents}
    return sorted(above - {"/"})


def _in_library(path: Path) -> str:
    return str(path.relative_to(_library().parent))


def _library() -> Path:
    return Path(rehearsal.__file__).parent


def _system() -> dict[str, Path]:
    return {path: Path(path) for path in SYSTEM if Path(path).exists()}


@lru_cache(maxsize=1)
def _python() -> dict[str, Path]:
    """Return the folders of Python and of this library, by their path in the sandbox."""
    started = (sys.prefix, sys.base_prefix, str(Path(sys.executable).parent.parent))
    folders = {path: Path(path).resolve() for path in started}
    folders |= {str(path): path for path in list(folders.values())}
    kept = {path: real for path, real in folders.items() if not path.startswith("/usr")}
    return {**kept, f"/library/{_library().name}": _library()}


@lru_cache(maxsize=1)
def _plugins() -> list[str]:
    """List the folders of Snakemake's plugins for clusters and storage, which are hidden.

    A sandbox has no network for them, and Snakemake imports all that it finds: a quarter of the CPU
    seconds and half of the memory of an empty run.
    """
    names = [one.name for one in iter_modules() if one.name.startswith(PLUGINS)]
    found = [find_spec(name) for name in names]
    folders = [path for one in found if one for path in one.submodule_search_locations or ()]
    return sorted({*folders, *(str(Path(folder).resolve()) for folder in folders)})


@lru_cache(maxsize=1)
def why_no_sandbox() -> str:
    """Try an empty sandbox, once per process.

    Returns:
        Why this machine cannot run algorithms, as a line. Empty: it can.
    """
    if sys.platform != "linux":
        return "sandboxes need Linux"
    if shutil.which(BUBBLEWRAP) is None:
        return NO_BUBBLEWRAP
    for module in NEEDED:
        if find_spec(module) is None:
            return f"{module} is not installed (pip install 'rehearsal[workflow]')"
    if filter_program() is None:
        return f"no filter of system calls for {os.uname().machine}"
    walls = Walls(Limits(wall_s=PROBE_S))
    with Sandbox(walls, INIT.parent, INIT.parent, {}, ["/bin/true"]) as sandbox:
        if any(frame.name == "end" for frame in sandbox.frames()):
            return ""
        return f"the kernel refuses a sandbox ({sandbox.complaint() or 'no reason given'})"
