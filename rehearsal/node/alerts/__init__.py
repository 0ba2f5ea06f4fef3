"""Standing queries: who is told when a patient like theirs arrives at this node."""
