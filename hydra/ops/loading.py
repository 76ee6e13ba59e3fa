"""Modules are loaded without the garbage collector, which takes a tenth of the time that it takes.

Nearly all that loading makes stays, and the collector would look at it again and again.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """The collector rests while this lasts; afterwards it is as it was."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
