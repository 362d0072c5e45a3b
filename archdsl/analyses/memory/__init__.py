"""What a network needs in memory: activations in inference, what training keeps, weights and optimizer state."""
