"""The commands, one module each or for two that belong together."""
