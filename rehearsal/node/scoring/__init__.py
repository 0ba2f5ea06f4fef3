"""Polygenic scores of a node's people, and answers about them."""
