"""Boolean expressions and functions: formulas as text, truth tables, smallest formulas."""
