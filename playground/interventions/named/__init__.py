"""Named sets of interventions, and the file that keeps them."""
