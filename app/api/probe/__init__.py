"""The data of what is drawn of a model: attention, maps of activations, weights, atlases, rankings."""
