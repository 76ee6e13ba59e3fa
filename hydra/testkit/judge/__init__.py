"""The judge of what engines did: see `verdict`."""
