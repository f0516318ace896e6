"""The pages, a folder each. They do not import one another."""
