"""All situations, by the name of their example."""

from collections.abc import Callable
from typing import TypeAlias

from tests.venues.server.rest.asgi import Answer

Situation: TypeAlias = Callable[[], Answer]

SITUATIONS: dict[str, Situation] = {}


def example(situation: Situation) -> Situation:
    """This function plays the example that it is named after."""
    SITUATIONS[situation.__name__] = situation
    return situation
