"""Rehearsal: a dress rehearsal for Europe's federated genome network, on synthetic people."""

from rehearsal.compiled_code import keep_compiled_code_apart

__version__ = "0.2.0"

keep_compiled_code_apart()  # before any module imports numba
