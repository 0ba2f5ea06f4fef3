"""A cohort small enough to count by hand."""

from ..small_cohort import cohort_tables, trees, truth

__all__ = ["cohort_tables", "trees", "truth"]
