"""The commands, one per module, or two that belong together."""
