"""The modules that the launcher depends on."""

import sys
from pathlib import Path

import pytest

from rehearsal.network.launcher import Launch, node_command
from rehearsal.process_lifetime import LAUNCHED

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "workflow"))

from code_digest import CodeDigests  # noqa: E402


@pytest.mark.parametrize("module", ["launcher", "forkserver", "server"])
def test_nothing_of_the_network_reaches_an_entrance_not_even_by_a_string(module):
    """A module that is started by its name counts as imported and makes rules run again."""
    closure = CodeDigests(ROOT).closure(ROOT / f"rehearsal/network/{module}.py")
    rooms = {path.relative_to(ROOT / "rehearsal").parts[0] for path in closure}
    assert {"network", "node"} <= rooms
    assert not rooms & {"__main__.py", "cli", "config", "dataset", "export"}


def test_a_node_behind_a_prefix_knows_that_it_was_launched(tmp_path):
    """A prefix such as ssh does not pass the environment on."""
    launch = Launch("FI", tmp_path, tmp_path, prefix=("ssh", "there"), asker="10.0.0.1")
    command = node_command(launch)
    assert command[:4] == ["ssh", "there", "env", f"{LAUNCHED}=1"]
    assert command[command.index("--trusted-proxy") + 1] == "10.0.0.1"
