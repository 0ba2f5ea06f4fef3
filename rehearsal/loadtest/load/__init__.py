"""Load tests: how many queries a network answers, and how fast, under many simultaneous users.

The load is open loop: each query is sent at its planned time, even when earlier ones are
unanswered, and latency counts from that time. A closed-loop client, which waits for each answer,
would measure a stalled server only once and miss the queries that others would have sent meanwhile.
"""
