"""What a network does while one of its nodes, or itself, is broken: scenarios and their runner."""
