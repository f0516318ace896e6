"""What a request asks about: the query of an address, read, and what follows from it."""
