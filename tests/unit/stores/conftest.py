"""The stores of the node of twelve people."""

from ..node.conftest import facts, node_folder, people

__all__ = ["facts", "node_folder", "people"]
