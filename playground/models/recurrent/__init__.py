"""The models that read a token at a time: RNN and MANN."""
