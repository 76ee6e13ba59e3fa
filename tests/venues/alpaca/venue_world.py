"""The adapter between an open gate and a broker on loopback, with everything that it tells."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from time import monotonic_ns
from typing import Any

from hydra.ports import GateKey, Permit, PermitClass
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.settings.secret import Secret
from hydra.trading.durations import MINUTE
from hydra.trading.trading_state import Cause
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from messages.reconciliation import VenueWord
from tests.venues.alpaca.fake_alpaca import Answer, FakeAlpaca, Received, Reply

KEY = GateKey("/gateway", 1)
NOW = 1_795_444_267_000_000_000
"""Market time, which stands still here."""
TOLD_WITHIN_S = 5.0

Rule = Callable[[Received], Answer | None]


class WatchedGate(Gate):
    """Keeps what passed: whose, as what, and whether it was given back."""

    def __init__(self) -> None:
        super().__init__(lambda: 0)
        self.classes: list[tuple[str, PermitClass]] = []
        self.before_passing: Callable[[PermitClass], None] = lambda _: None

    def enter(self, order_id: str, epoch: int, key: GateKey, permit_class: PermitClass) -> Permit:
        self.before_passing(permit_class)
        permit = super().enter(order_id, epoch, key, permit_class)
        self.classes.append((order_id, permit_class))
        return permit


def open_gate(*causes: Cause) -> WatchedGate:
    """As far open as these causes allow, to whoever has the key."""
    gate = WatchedGate()
    gate.register(KEY)
    gate.renew_lease(UNLIMITED_LEASE)
    gate.arm(causes, "a test", gate.epoch)
    return gate


class VenueWorld:
    """See the module. `rules` are asked first, in turn; then the broker has nothing, emptily."""

    def __init__(self, *causes: Cause, **terms: Any) -> None:
        self.gate = open_gate(*causes)
        self.rules: list[Rule] = []
        self.broker = FakeAlpaca(self._answer)
        self._told: Queue[VenueWord] = Queue()
        self.clock: Callable[[], int] = monotonic_ns
        self.minutes_passed = 0
        """By the broker's clock, besides those of ours."""
        keys = Keys(Secret("HYDRA-a-key"), Secret("a-secret"))
        self.network = Network(loopback_only=True)
        call_within_s = terms.get("call_within_s", 5.0)
        self.venue = AlpacaVenue(
            HttpClient(self.broker.url, keys, self.network, call_within_s=call_within_s),
            self.gate,
            terms=AlpacaTerms(**{"call_within_s": call_within_s, **terms}),
            market_time=lambda: NOW,
            machine_time=self._machine_time,
            tell=self._told.put,
            minutes_by=lambda: self.clock() + self.minutes_passed * MINUTE,
        )

    @property
    def epoch(self) -> int:
        return self.gate.epoch

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Answer requests for this so, in turn; the last answer goes on for ever."""
        left = list(answers)

        def rule(received: Received) -> Answer | None:
            if str(received) != f"{method} {path}":
                return None
            return left.pop(0) if len(left) > 1 else left[0]

        self.rules.append(rule)

    def next_told(self) -> VenueWord:
        """The next message, waited for."""
        return self._told.get(timeout=TOLD_WITHIN_S)

    def told(self, number: int) -> list[VenueWord]:
        """So many messages, waited for, and no more."""
        messages = [self.next_told() for _ in range(number)]
        with contextlib.suppress(Empty):
            messages.append(self._told.get(timeout=0.02))
        return messages

    def close(self) -> None:
        assert self.venue.close(within_s=5.0)
        self.broker.close()

    def _machine_time(self) -> int:
        return self.clock()

    def _answer(self, received: Received) -> Answer:
        for rule in self.rules:
            answer = rule(received)
            if answer is not None:
                return answer
        if received.method == "GET" and received.path.endswith(
            ("orders", "positions", "FILL", "activities")
        ):
            return Reply(200, [])
        return Reply(404, {"code": 40410000, "message": "not found"})


@contextlib.contextmanager
def venue_world(*causes: Cause, **terms: Any) -> Iterator[VenueWorld]:
    """A world until the end of the block."""
    world = VenueWorld(*causes, **terms)
    try:
        yield world
    finally:
        world.close()
