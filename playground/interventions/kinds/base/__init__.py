"""What kinds of intervention have in common, in three families: on activations, on weights, on written tokens."""
