"""The residual stream as a graph: edge attribution and path patching."""
