"""The log of the in-process venue, read for the judge."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import assert_never

from hydra.testkit.judge.looked_at import LookedAt
from hydra.testkit.judge.venue_evidence import Asked, Markets, Played, Verb
from hydra.trading.orders import Order
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.log_lines import (
    FORMAT,
    LogLine,
    RequestReceived,
    VenueBegan,
    VenueOpened,
)
from hydra.venues.simulated.rebuild import open_exchange
from hydra.venues.simulated.requests import (
    Cancel,
    LookUp,
    Replace,
    Request,
    Submit,
    TakeSnapshot,
)


class InProcessVenue:
    """See `VenueEvidence`. Every request reaches this venue whole, and is answered as it comes."""

    def __init__(self, path: Path, lines: Sequence[LogLine]) -> None:
        """`lines` are those of the log at `path`; the first says which venue it is."""
        self._path = path
        self._lines = tuple(lines)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """See `VenueEvidence.asked`."""
        return tuple(self._asked())

    def played(self, markets: Markets, lines: int | None = None) -> Played:
        """See `VenueEvidence.played`."""
        found = self._lines[:lines]
        began = found[0]
        assert isinstance(began, VenueBegan), "it comes first"
        exchange = open_exchange(
            LookedAt(self._path, found, FORMAT),
            markets.of(began.data_digest, str(self._path.parent), began.data_origin),
            until=0,
            seed=began.seed,
            speed=None,
            wall_clock=lambda: 0,
            terms=began.terms,
            misbehaviour=markets.misbehaviour,
        )
        snapshot = exchange.engine.snapshot(at=0, since=0)
        told = tuple(self._told_at(number) for number in range(1, len(snapshot.fills) + 1))
        return Played(snapshot, told)

    def _asked(self) -> Iterator[Asked]:
        speed: float | None = None
        for place, line in enumerate(self._lines):
            match line:
                case VenueOpened():
                    speed = line.speed
                case RequestReceived(request=request):
                    verb, name, order = _content_of(request)
                    if verb is not None:
                        yield Asked(
                            place=place,
                            at=line.at,
                            wall_ns=line.wall_ns,
                            verb=verb,
                            name=name,
                            order=order,
                            speed=speed,
                        )
                case _:
                    pass

    def _told_at(self, execution: int) -> float:
        moves = (line for line in self._lines if isinstance(line, MarketMoved))
        return next((move.at for move in moves if move.executions >= execution), math.inf)


def _content_of(request: Request) -> tuple[Verb | None, str, Order | None]:
    """What it asks for; None: it only reads."""
    match request:
        case Submit(order=order):
            return Verb.PLACE, order.client_order_id, order
        case Replace(order=order):
            return Verb.REPLACE, order.client_order_id, order
        case Cancel(client_order_id=name):
            return Verb.CANCEL, name, None
        case LookUp() | TakeSnapshot():
            return None, "", None
        case _:
            assert_never(request)
