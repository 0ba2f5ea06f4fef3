"""The node's Beacon v2 API: requests to typed values, answers as plain dictionaries."""
