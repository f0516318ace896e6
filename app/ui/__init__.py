"""Components that several pages share: each Python file next to its script and its style."""
