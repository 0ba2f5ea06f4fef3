"""The cohort that can be counted by hand."""

from ..small_cohort import cohort_tables, trees, truth

__all__ = ["cohort_tables", "trees", "truth"]
