"""The states of a world as a table."""
