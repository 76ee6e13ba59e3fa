"""The local venue as a command of its own."""
