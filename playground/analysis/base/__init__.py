"""What all methods share: the method itself, the store of results, the answers measured."""
