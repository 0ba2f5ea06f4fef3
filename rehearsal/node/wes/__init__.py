"""GA4GH WES 1.1: runs of approved algorithms where the data are."""
