"""What holds for all tests."""

from hypothesis import settings

# How long an example takes says more of who else is at work on this machine than of the product;
# a test that hangs is ended by its timeout.
settings.register_profile("hydra", deadline=None)
settings.load_profile("hydra")
