"""Which heads keep an answer right."""
