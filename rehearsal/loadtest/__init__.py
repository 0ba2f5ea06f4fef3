"""The query suite, the truth behind it, the judging of answers, and how fast they came."""
