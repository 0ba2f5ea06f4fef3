"""What the view of a run has: the order of the node to the process that makes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ViewOrder:
    """What a view has.

    Attributes:
        node: Folder of the node.
        target: Folder to write, which exists.
        people: Numbers of the permitted people, ascending.
        variables: Variables of people: fields with numbers, or diseases as terms.
        genotypes: Whether there are genotypes.
    """

    node: str
    target: str
    people: list[int]
    variables: list[str]
    genotypes: bool
