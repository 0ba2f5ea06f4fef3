"""Plays algorithms that attack the sandbox they run in."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.node.wes.sandbox import Limits, Sandbox, Walls, why_no_sandbox

ATTACKS = Path(__file__).parent / "attacks"
LIMITS = Limits(cpu_s=20, wall_s=20, memory_mb=256, processes=32, disk_mb=32)


@pytest.fixture(scope="session", autouse=True)
def sandboxes():
    if reason := why_no_sandbox():
        pytest.skip(reason)


@pytest.fixture
def play(tmp_path):
    """Run ``attacks/NAME.py``: gives what it put into ``outputs/loot``, or None, and its end.

    ``down`` replaces walls, so that an attack is first seen to succeed without one.
    """
    view = tmp_path / "view"
    view.mkdir()
    (view / "people.txt").write_text("the data\n")

    def run(name, *arguments, limits=LIMITS, **down):
        walls = replace(Walls(limits), **down)
        command = [sys.executable, f"/algorithm/{name}.py", *map(str, arguments)]
        with Sandbox(walls, ATTACKS, view, {}, command) as sandbox:
            frames = {frame.name: frame.content for frame in sandbox.frames()}
        end = json.loads(frames["end"])
        print(end, frames["log"].decode())  # shown when the test fails
        loot = frames.get("outputs/loot")
        return None if loot is None else loot.decode(), end["reason"]

    return run
