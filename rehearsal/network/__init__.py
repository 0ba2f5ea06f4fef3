"""The asker's side: which nodes there are, how far they stand, and asking them all at once."""
