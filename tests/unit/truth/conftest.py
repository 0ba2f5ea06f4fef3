"""A cohort small enough to count by hand."""

from ..small_cohort import cohort_tables, trees, truth
from .simulated_block import simulated

__all__ = ["cohort_tables", "simulated", "trees", "truth"]
