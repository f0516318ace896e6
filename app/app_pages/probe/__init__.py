"""Page Probe."""
