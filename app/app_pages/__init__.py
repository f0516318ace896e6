"""The pages, one folder each. They do not import one another."""
