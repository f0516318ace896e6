"""What page Free text asks."""
