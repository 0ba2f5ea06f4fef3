"""How real a simulated cohort is: sums by block, joined and compared with published figures.

``panel`` chooses the people to measure. ``measures`` computes the sums of one block, which add up
over blocks. ``table`` turns the joined sums into rows that are judged. ``figures`` draws them.
``block_structure``, ``principal_components`` and ``frequency_spectrum`` describe the structure of
the whole cohort, which the report shows.
"""
