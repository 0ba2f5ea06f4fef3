"""Checks of what this machine has for a run: they are repeated when the inputs are kept ones."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal.config.inputs import Inputs
from rehearsal.config.results_folder import check_room
from rehearsal.config.schema import name_sources
from rehearsal.errors import Complaints, InputError, shown
from rehearsal.export.disk_space import check_disk_space
from rehearsal.genomes.blocks import CONFIG
from rehearsal.network.emulation.topology import check_possible, uses_namespaces
from rehearsal.network.registry import NodeEntry


def check_machine(config: Mapping[str, Any], inputs: Inputs, sources: Sequence[Path]) -> None:
    """Check that this machine can run a configuration.

    Args:
        config: The merged configuration.
        inputs: The inputs that were accepted for it.
        sources: The configuration files, in the order they were merged.

    Raises:
        InputError: Something is missing.
    """
    complaints = Complaints()
    with name_sources(sources):
        for check in machine_checks(config, inputs):
            with complaints.collected():
                check()
        complaints.raise_any()


def machine_checks(config: Mapping[str, Any], inputs: Inputs) -> Iterator[Callable[[], object]]:
    """Yield checks that do not depend on each other.

    Args:
        config: The merged configuration.
        inputs: The inputs that were accepted for it.
    """
    results = Path(config["results"])
    yield partial(check_disk_space, inputs.exports.values(), inputs.numbers, inputs.blocks, results)
    yield partial(check_room, config["results"])
    yield partial(check_emulation, config["network"], CONFIG)
    yield partial(check_launch, config["network"]["launch"], CONFIG)
    yield partial(check_tokens, config["network"]["nodes"], inputs.foreign)


def check_emulation(network: Mapping[str, Any], source: str) -> None:
    """Check that the configured distance can be emulated here, between these nodes.

    Network namespaces are closed: a node inside one cannot reach a node outside.

    Args:
        network: The ``network`` section of the configuration.
        source: The configuration file to name in an error.

    Raises:
        InputError: This machine cannot emulate it, or some nodes run elsewhere.
    """
    way = network["emulation"]
    check_possible(way, source)
    for key in ("nodes", "launch"):
        if uses_namespaces(way) and network[key]:
            expected = f"delay or none, because network.{key} is set"
            raise InputError(source, "network.emulation", expected, shown(way))


def check_launch(launch: str | None, source: str) -> None:
    """Check that the command that starts nodes is one of this machine.

    Args:
        launch: The key ``network.launch``.
        source: The configuration file to name in an error.

    Raises:
        InputError: A shell could not read it, or there is no such program.
    """
    if launch is None:
        return
    key = "network.launch"
    try:
        words = shlex.split(launch)
    except ValueError as error:
        raise InputError(source, key, "a command", f"{shown(launch)} ({error})") from None
    if not words or shutil.which(words[0]) is None:
        expected = "a command whose program this machine has"
        raise InputError(source, key, expected, shown(words[0] if words else launch))


def check_tokens(path: str | None, nodes: Iterable[NodeEntry]) -> None:
    """Check that the environment has the tokens of the nodes of others.

    Args:
        path: The file that describes the nodes; None without any.
        nodes: The nodes.

    Raises:
        InputError: The variables of some are not set. Each is reported.
    """
    complaints = Complaints()
    for node in nodes:
        if node.token_variable and not os.environ.get(node.token_variable):
            key = f"nodes.{node.country}.token_variable"
            expected = "an environment variable that holds the node's token"
            with complaints.collected():
                raise InputError(path, key, expected, f"{node.token_variable}, which is not set")
    complaints.raise_any()
