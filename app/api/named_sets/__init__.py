"""Named sets of edits: the file of named conditions in the working directory, and what a model does under each."""
