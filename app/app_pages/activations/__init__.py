"""Page Activations."""
