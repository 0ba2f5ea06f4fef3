"""The node's Beacon v2 API: requests become typed values, answers are plain dictionaries."""
