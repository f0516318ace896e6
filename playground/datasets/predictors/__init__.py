"""What needs no model: simple predictors of a world's answers, and formulas consistent with the seen states."""
