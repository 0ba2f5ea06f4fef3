"""Costs and effects of care: prevention by scores, and testing of relatives, with uncertainty."""
