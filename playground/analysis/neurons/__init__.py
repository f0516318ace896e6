"""What single parts compute, as formulas."""
