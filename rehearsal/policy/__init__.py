"""What ministries read of a run: evidence for maturity, and costs of the infrastructure."""
