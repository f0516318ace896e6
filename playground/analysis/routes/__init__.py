"""The route by which a model derives each answer, and the verdict on it."""
