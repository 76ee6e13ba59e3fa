"""What befalls one order after the other, drawn by seed."""

from __future__ import annotations

import random
from typing import Any

from tests.contracts.venues.faults import every_fault

RESET_LONG_AGO = {"type": "answer", "status": 429, "headers": {"X-Ratelimit-Reset": "1"}}
"""A 429 that is over at once: else our own budget would hold back all entries that come after."""
NOTHING = {"type": "delay", "seconds": 0.0, "landed": True}
FAULTS = [
    RESET_LONG_AGO,
    *(each.fault for name, each in every_fault().items() if not name.startswith("429")),
]


def drawn(draw: random.Random) -> dict[str, Any]:
    """What befalls one request: as often as not, nothing."""
    return NOTHING if draw.random() < 0.5 else draw.choice(FAULTS)
