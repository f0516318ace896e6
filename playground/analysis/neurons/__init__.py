"""What each part computes, as formulas."""
