"""Stories: synthetic patients, the questions asked about them, and judgements of the answers."""
