"""Where numba keeps compiled code: in a folder of its own for each version of the compiled modules.

numba compiles a function again when its own file has changed, but not when a function that it calls
has, in another file. And it cannot read what it kept where a type has moved.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

PACKAGE = Path(__file__).parent

Function = TypeVar("Function", bound=Callable[..., Any])


def lean(signature: str | None = None, *, inlined: bool = False) -> Callable[[Function], Function]:
    """Compile a function that allocates nothing, and calls none that does.

    numba counts references to arrays wherever a function takes them, each by an atomic instruction,
    which costs more than the work of a short function. Here it does not.

    Args:
        signature: Types to compile for at once. None: those of the first call.
        inlined: Whether callers take in the code, for what is called for every few bytes.
    """
    import numba  # not before its folder is set

    options = {"cache": True, "nogil": True, "_nrt": False, "forceinline": inlined}
    compile_function: Callable[[Function], Function] = numba.njit(signature, **options)  # type: ignore[call-overload]
    return compile_function


def keep_compiled_code_apart(package: Path = PACKAGE) -> None:
    """Set numba's folder for this version, within ``NUMBA_CACHE_DIR`` if that is set.

    numba itself takes another folder where it may not write to this one.

    Args:
        package: The folder of the package.
    """
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*kernel*.py")):
        state = path.stat()
        digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
    name = f"numba-{digest.hexdigest()[:12]}"
    chosen = Path(os.environ.get("NUMBA_CACHE_DIR") or _folder(package))
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


def _folder(package: Path) -> Path:
    """Choose the folder of the package, or that of the user where the package is not theirs."""
    if os.access(package, os.W_OK):
        return package / "__pycache__"
    kept = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(kept).expanduser() / "rehearsal"
