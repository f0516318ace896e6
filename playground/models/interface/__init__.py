"""What every architecture answers to: networks, sites, hooks, edited weights, traces, training in a batch."""
