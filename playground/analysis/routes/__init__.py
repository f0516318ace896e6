"""By which route an answer comes about, and the verdict on it."""
