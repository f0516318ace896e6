"""Distributed alignment search: the few directions of a part that stand for a variable."""
