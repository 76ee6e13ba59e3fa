"""What every test of the kernel leaves behind: nothing."""

from collections.abc import Iterator

import pykka
import pytest


@pytest.fixture(autouse=True)
def registry_is_left_empty() -> Iterator[None]:
    """pykka's registry is one for the whole process: what a test forgets there, all others meet."""
    before = set(pykka.ActorRegistry.get_all())
    yield
    left = [ref for ref in pykka.ActorRegistry.get_all() if ref not in before]
    for ref in left:
        pykka.ActorRegistry.unregister(ref)
    assert left == []


@pytest.fixture
def log() -> list[str]:
    """What the actors of a test write down."""
    return []
