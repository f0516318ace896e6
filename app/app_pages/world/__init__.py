"""Page World."""
