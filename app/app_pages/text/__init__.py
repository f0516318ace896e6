"""Page Free text."""
