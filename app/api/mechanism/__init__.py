"""What page Mechanism asks."""
