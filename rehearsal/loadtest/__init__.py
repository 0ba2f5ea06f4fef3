"""What load, distance, growth and faults do to a network that runs."""
