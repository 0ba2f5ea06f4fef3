"""The sections of the first page, each from the summary and the run's tables."""
