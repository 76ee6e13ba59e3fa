"""`drill`: the stops of a real engine, tried on this machine with this configuration."""
