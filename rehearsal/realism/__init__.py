"""How real a simulated cohort is: sums a block, joined, held against published figures.

``panel`` chooses whom to measure, ``measures`` makes the sums of one block that add up over
blocks, ``structure`` and ``table`` turn the joined sums into rows that are judged, ``figures``
draws them.
"""
