"""What a node knows about itself: ``node.yaml`` in its folder."""
