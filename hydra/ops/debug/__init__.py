"""A view into a running engine over a private socket: it can look, suspend and halt, not trade."""
