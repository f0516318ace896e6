"""The interface of every architecture: networks, sites, hooks, edited weights, traces, training in a batch."""
