"""Patient matching: ``POST /match`` of the Matchmaker Exchange API, and the index behind it."""
