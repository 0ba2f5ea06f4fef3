"""Load: what a network answers, and how fast, when many ask at once.

Load is open loop: queries leave when their time has come, whether or not earlier ones have been
answered, and latency counts from that intended time. A client that waits for an answer before it
asks again measures a stalled server once; those who would have asked meanwhile are never heard.
"""
