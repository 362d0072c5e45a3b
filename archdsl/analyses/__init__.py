"""What a network costs, from its graph alone."""
