"""An interpretability playground: small networks, taken apart on every state of their world."""
