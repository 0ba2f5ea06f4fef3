"""Subscriptions: a caller gets an alert when a matching patient is added to this node."""
