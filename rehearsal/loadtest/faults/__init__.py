"""Fault scenarios for nodes and the network, and the code that runs them."""
