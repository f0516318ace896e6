"""What several pages share: each Python file beside its script and its style."""
