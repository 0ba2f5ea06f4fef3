"""The network: the list of nodes, queries to all nodes at once, and the service for them."""
