"""Growth: how the cost of a query grows with nodes, with people, and with simultaneous users."""
