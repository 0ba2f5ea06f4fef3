"""Where numba keeps compiled code: in a folder of its own for each version of the compiled modules.

numba compiles a function again when its own file has changed, but not when a function that it calls
has, in another file. And it cannot read what it kept where a type has moved.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any, TypeVar

from rehearsal.errors import mismatch

PACKAGE = Path(__file__).parent
LONGEST_TURN_S, LOOK_EVERY_S = 120.0, 0.05
NO_ENTRY = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(*, nogil: bool = False) -> Callable[[Function], Function]:
    """Compile a function that Python calls.

    Processes take turns: what one of them compiles, the others wait for and read.

    Args:
        nogil: Whether other threads of Python may run meanwhile.
    """
    import numba  # not before its folder is set

    def compile_function(function: Function) -> Function:
        return _compiled_in_turn(numba.njit(cache=True, nogil=nogil)(function))

    return compile_function


def part(function: Function) -> Function:
    """Compile a function that only compiled functions call.

    An entry for Python, which this has not, takes a quarter of the time to compile.

    Args:
        function: The function. To call it from Python raises a TypeError.
    """
    import numba  # not before its folder is set

    compiled: Function = _closed(numba.njit(cache=True, **NO_ENTRY)(function))  # type: ignore[call-overload]
    return compiled


def lean(
    signature: str | None = None, *, inlined: bool = False, entry: bool = False
) -> Callable[[Function], Function]:
    """Compile a function that allocates nothing, and calls none that does.

    numba counts references to arrays wherever a function takes them, each by an atomic instruction,
    which costs more than the work of a short function. Here it does not.

    Args:
        signature: Types to compile for at once. None: those of the first call.
        inlined: Whether callers take in the code, for what is called for every few bytes.
        entry: Whether Python calls the function too; if not, it is a :func:`part` of others.
    """
    import numba  # not before its folder is set

    options = {"cache": True, "nogil": True, "_nrt": False, "forceinline": inlined}
    options |= {} if entry else NO_ENTRY
    compile_function: Callable[[Function], Any] = numba.njit(signature, **options)  # type: ignore[call-overload]
    return compile_function if entry else lambda function: _closed(compile_function(function))


def _closed(compiled: Any) -> Any:
    """Let calls from Python raise an error: without an entry they would end the process."""
    compiled.__class__ = _closed_class()
    return compiled


@cache
def _closed_class() -> type:
    from numba.core.registry import CPUDispatcher

    class Closed(CPUDispatcher):
        """A function without an entry for Python."""

        def __call__(self, *_: Any, **__: Any) -> None:
            where = self.py_func.__qualname__
            raise TypeError(mismatch(where, "a call by a compiled function", "one by Python"))

    return Closed


def _compiled_in_turn(compiled: Any) -> Any:
    """Let a function of numba wait for another process that compiles it.

    Args:
        compiled: The function, with a cache.
    """
    compiled._cache = _cache_in_turn()(compiled.py_func)
    return compiled


@cache
def _cache_in_turn() -> type:
    from numba.core.caching import FunctionCache

    class CacheInTurn(FunctionCache):
        """A function's cache with a lock file, held from where a look-up fails to the end."""

        _turn: IO[bytes] | None = None

        def load_overload(self, signature: Any, context: Any) -> Any:
            found = super().load_overload(signature, context)
            if found is None and self._turn is None:
                name = f"{self._py_func.__module__}.{self._py_func.__qualname__}.lock"
                self._turn = _take_turn(Path(self.cache_path) / name)
                found = super().load_overload(signature, context)  # of who had the turn before
                if found is not None:
                    self._end_turn()
            return found

        def save_overload(self, signature: Any, result: Any) -> None:
            super().save_overload(signature, result)
            self._end_turn()

        def _end_turn(self) -> None:
            if self._turn is not None:
                with self._turn as lock, suppress(OSError):
                    fcntl.flock(lock, fcntl.LOCK_UN)  # a process forked since holds it too
                self._turn = None

    return CacheInTurn


def _take_turn(path: Path) -> IO[bytes] | None:
    """Lock a file, and wait for that as long as compiling may take.

    Args:
        path: The file. The system ends a lock when its process ends.

    Returns:
        The open file; None where there are no files or locks, or none in time. The work then goes
        on without a turn.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("wb")
    except OSError:
        return None
    until = time.monotonic() + LONGEST_TURN_S
    while time.monotonic() < until:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOOK_EVERY_S)
        except OSError:  # a file system without locks
            break
        else:
            return lock
    lock.close()
    return None


def keep_compiled_code_apart(package: Path = PACKAGE) -> None:
    """Set numba's folder for this version, within ``NUMBA_CACHE_DIR`` if that is set.

    Args:
        package: The folder of the package.
    """
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*kernel*.py")):
        state = path.stat()
        digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
    name = f"numba-{digest.hexdigest()[:12]}"
    chosen = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_folder(package))
    if chosen.name != name:  # this process did not inherit it
        os.environ["NUMBA_CACHE_DIR"] = str(chosen / name)


@contextmanager
def compilations_told_to(listener: Callable[[str], None]) -> Iterator[None]:
    """Tell of each function that numba compiles, as it begins. What the cache has is not told.

    Args:
        listener: Called with the function's name.
    """
    from numba.core import event

    class Told(event.Listener):
        def on_start(self, event: Any) -> None:
            listener(event.data["dispatcher"].py_func.__name__)

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Told()):
        yield


def has_compiled_code() -> bool:
    """Tell whether an earlier process has kept compiled code of this version.

    Without it the first calls take longer. Ask before numba is imported.
    """
    return any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi"))


def cache_folder(package: Path = PACKAGE) -> Path:
    """Choose where to keep what is computed from the code: the first of these that can be written.

    With the code; in the user's cache; in the folder of a run; in a folder of the user for
    temporary files.

    Args:
        package: The folder of the package.

    Returns:
        The folder; the first one if none can be written.
    """
    kept = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    places = [package / "__pycache__", Path(os.path.expanduser(kept), "rehearsal")]  # noqa: PTH111
    run = Path(".snakemake").absolute()
    if run.is_dir():
        places.append(run / "rehearsal")
    writable = (one for one in places if can_be_written(one))
    return next(writable, None) or _temporary_folder() or places[0]


def can_be_written(folder: Path) -> bool:
    """Tell whether files can be written to a folder, which may be one that is still to be made.

    Args:
        folder: The folder. A relative one cannot: it begins with ``~`` for a user without a home.
    """
    there = next((one for one in (folder, *folder.parents) if one.exists()), Path())
    return folder.is_absolute() and there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _temporary_folder() -> Path | None:
    """Make a folder that only this user can write: who could would choose what code runs."""
    import tempfile  # here, because nearly no process needs it

    with suppress(OSError):
        folder = Path(tempfile.gettempdir(), f"rehearsal-{os.geteuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
        is_own = state.st_uid == os.geteuid() and stat.S_IMODE(state.st_mode) == 0o700
        return folder if is_own else Path(tempfile.mkdtemp(prefix="rehearsal-"))
    return None
