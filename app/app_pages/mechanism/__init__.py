"""Page Mechanism."""
