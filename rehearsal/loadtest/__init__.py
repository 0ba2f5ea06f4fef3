"""Measurements of a running network: load, distance, growth and faults."""
