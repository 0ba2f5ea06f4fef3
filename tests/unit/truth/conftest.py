"""The cohort that can be counted by hand."""

from ..cohort_by_hand import cohort_tables, trees, truth

__all__ = ["cohort_tables", "trees", "truth"]
