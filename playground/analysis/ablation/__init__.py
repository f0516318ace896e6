"""What breaks when a part or a weight is changed."""
