"""The only way out for what an algorithm computes."""
