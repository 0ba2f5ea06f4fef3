"""Rehearsal: a dress rehearsal for Europe's federated genome network, on synthetic people."""

__version__ = "0.2.0"
