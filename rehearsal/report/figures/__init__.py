"""The report's figures as Vega-Lite charts.

A figure takes its data, a ``Palette`` and a width (pixels, or ``container`` in the page) and
returns an Altair chart with a description for those who do not see it. Nothing is fetched.
"""
