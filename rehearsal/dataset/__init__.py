"""A dataset on the spot: simulated and written without Snakemake, and a service checked with it."""
