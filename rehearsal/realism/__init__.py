"""How real a simulated cohort is: sums a block, joined, held against published figures.

``panel`` chooses whom to measure, ``measures`` makes the sums of one block that add up over
blocks, ``table`` turns the joined sums into rows that are judged, ``figures`` draws them.
``block_structure``, ``principal_components`` and ``frequency_spectrum`` describe the structure of
the whole cohort, which the report shows.
"""
