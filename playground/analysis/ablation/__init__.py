"""What breaks if a part or a weight is changed."""
