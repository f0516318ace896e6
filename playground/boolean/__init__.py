"""Boolean expressions and functions: formulas as text, truth tables, the smallest formula of a function."""
