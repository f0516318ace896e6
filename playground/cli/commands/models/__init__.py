"""The commands that train models and manage their runs."""
