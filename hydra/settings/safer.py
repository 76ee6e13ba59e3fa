"""Which way a setting is safer: that way a running engine may take it, any other needs a restart.

Stands in a field's `Annotated`, beside the kind of its value.
"""

from enum import Enum


class Safer(Enum):
    """The direction in which less can be lost."""

    LOWER = "lower"
    HIGHER = "higher"
    ON = "true"
    OFF = "false"
    LAST = "last"
    """The last of a kind's choices is the safest, the first the least."""
    NARROWER = "narrower"
    """A part of the window as it was: later to begin, earlier to end."""
    FEWER = "fewer"
    """Some of the list as it was, in its order."""
    MORE = "more"
    """All of the list as it was, and more."""
    NEITHER = "neither"
    """Another value is another behaviour, better or worse: never taken without a restart."""
