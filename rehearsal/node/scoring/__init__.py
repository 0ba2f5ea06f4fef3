"""Polygenic scores of a node's people, and what may be told of them."""
