"""All rules that are armed, of both kinds, under one set of numbers."""

from __future__ import annotations

from itertools import count
from typing import Any

from hydra.venues.simulated.server.faults.armed_rules import Armed, ArmedRules
from hydra.venues.simulated.server.faults.request_faults import RequestRule
from hydra.venues.simulated.server.faults.update_faults import UpdateRule


class ArmedFaults:
    """What strikes requests, and what strikes the updates of the trading stream."""

    def __init__(self) -> None:
        numbers = count(1)
        self.requests: ArmedRules[RequestRule] = ArmedRules(numbers)
        self.updates: ArmedRules[UpdateRule] = ArmedRules(numbers)

    def all(self) -> list[Armed[Any]]:
        """In the order in which they were given."""
        armed: list[Armed[Any]] = [*self.requests.all(), *self.updates.all()]
        return sorted(armed, key=lambda one: one.number)

    def disarm(self, number: int) -> bool:
        """Take one back; False: there is none of this number."""
        return any(rules.disarm(number) is not None for rules in (self.requests, self.updates))
