"""An event loop whose clock goes only as far as somebody waits, and then at once."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Time stands still while something is to be done, and leaps to the next timer else."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        due = [timer.when() for timer in self._scheduled if not timer.cancelled()]
        if due and not self._ready:
            self._now = max(self._now, min(due))
        super()._run_once()


def run_in_virtual_time(scene: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it; ``asyncio.get_running_loop().time()`` is 0.0 when it begins."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(scene)
