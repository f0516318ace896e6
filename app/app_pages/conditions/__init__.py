"""Page Conditions."""
