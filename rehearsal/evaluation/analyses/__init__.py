"""Federated analyses of a run: what is asked for, how it is played, how it is judged."""
