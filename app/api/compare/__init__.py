"""What page Compare asks."""
