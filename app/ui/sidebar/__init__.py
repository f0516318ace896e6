"""The sidebar, which every page has."""
