"""The board: what a model writes in every state."""
