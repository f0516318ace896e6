"""The text that a model writes in one state, token by token."""
