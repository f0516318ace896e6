"""GPT-2: transformers' model, probed through TransformerLens."""
