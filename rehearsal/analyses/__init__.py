"""Federated analyses: sums at each node, their join at the network.

``docs/design/analyses.md`` has the formulas, what travels, and the precision.
"""
