"""Loading keeps the garbage collector away, and gives it back as it was."""

import gc
from collections.abc import Iterator

import pytest

from hydra.ops.loading import loading


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_rests_while_modules_are_loaded_and_is_then_as_it_was(enabled: bool) -> None:
    (gc.enable if enabled else gc.disable)()

    with loading():
        meanwhile = gc.isenabled()

    assert (meanwhile, gc.isenabled()) == (False, enabled)


def test_a_module_that_cannot_be_loaded_leaves_the_collector_at_work() -> None:
    gc.enable()

    with pytest.raises(ImportError), loading():
        raise ImportError("a library is missing")

    assert gc.isenabled()
