"""Page Weights."""
