"""Patients alike: ``POST /match`` after the Matchmaker Exchange API, and the index behind it."""
