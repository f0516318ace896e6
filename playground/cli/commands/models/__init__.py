"""The commands that train models, and look after their runs."""
