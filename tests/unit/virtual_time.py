"""An event loop whose clock jumps to the next timer at once, so that tests need not wait."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop in which time stands still while there is work, and else jumps to the next timer."""

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
    """Run a coroutine in virtual time. The loop's time is 0.0 at the beginning.

    Args:
        scene: The coroutine.

    Returns:
        Its result.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(scene)
