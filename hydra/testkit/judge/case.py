"""One account's life before the judge: the evidence, and what several checks want to know of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

import msgspec

from hydra.store.events import HaltLatched
from hydra.testkit.judge.evidence import Life, OrderOnRecord, Run
from hydra.testkit.judge.standing import Standing, standing_at, standings
from hydra.testkit.judge.venue_evidence import Asked, Markets, Played
from hydra.trading.venue_view import VenueSnapshot

MARKET, OVER = "embedded_market", "over"
"""What the ledger says once all of a market has been played."""


class Violation(msgspec.Struct, frozen=True):
    """What was done, and the invariants that it breaks."""

    invariants: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariants}: {self.what}"


Violations: TypeAlias = Iterator[Violation]


class Case:
    """See the module. Raises LookupError where the venue's market is needed and is not given."""

    def __init__(self, life: Life, markets: Markets) -> None:
        self.life = life
        self._markets = markets

    @cached_property
    def sent(self) -> tuple[tuple[Asked, OrderOnRecord], ...]:
        """Every order that came to the venue and is on record, with its record."""
        orders = self.life.orders
        return tuple((sent, orders[sent.name]) for sent in self.life.sent if sent.name in orders)

    @cached_property
    def played(self) -> Played | None:
        """The account as the venue's log leaves it; None if there never was a venue."""
        venue = self.life.venue
        return None if venue is None else venue.played(self._markets)

    @property
    def at_venue(self) -> VenueSnapshot | None:
        """The same, as the venue would show it."""
        return None if self.played is None else self.played.snapshot

    @cached_property
    def refused(self) -> frozenset[str]:
        """The names of the orders to which the venue said no."""
        return frozenset(asked.name for asked in self.life.sent if asked.is_refused)

    def venue_before(self, sent: Asked) -> VenueSnapshot:
        """The account as the order found it."""
        assert self.life.venue is not None, "something came to it"
        return self.life.venue.played(self._markets, sent.place).snapshot

    @cached_property
    def standings(self) -> dict[int, tuple[Standing, ...]]:
        """What stood in each run, by its journal; runs of which it is pruned are left out."""
        known = [r.event.cause for r in self.life.events if isinstance(r.event, HaltLatched)]
        runs = self.life.runs
        return {run.number: standings(run.lines, known) for run in runs if run.lines is not None}

    def stood_for(self, known: OrderOnRecord) -> Standing | None:
        """What stood when the journal said that the order may go; None if it does not say so any
        more (the process was killed, or it is pruned).
        """
        seq = self._stored_at.get(known.order.client_order_id)
        return None if seq is None else standing_at(self.standings.get(known.run, ()), seq)

    def run_of(self, known: OrderOnRecord) -> Run | None:
        """The run that meant to send it."""
        return self.life.runs[known.run] if known.run >= 0 else None

    @property
    def is_settled(self) -> bool:
        """The market came to its end, and so did the last run: all there is to hear was heard."""
        runs = self.life.runs
        return self.life.values.get(MARKET) == OVER and bool(runs) and runs[-1].ended_in_order

    @cached_property
    def _stored_at(self) -> dict[str, int]:
        stored: dict[str, int] = {}
        for line in (line for run in self.life.runs for line in run.lines or ()):
            if line.event == "intent_stored":
                order = line.fields["order"]
                assert isinstance(order, dict), "so it is written"
                stored[order["client_order_id"]] = line.seq
        return stored
