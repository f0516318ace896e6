"""Page Train."""
