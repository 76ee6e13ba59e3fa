"""The in-process face: the simulated exchange behind the port, in the caller's own thread."""

from __future__ import annotations

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.order_life import OrderStatus
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.in_process import InProcessVenue
from hydra.venues.simulated.log_lines import RequestReceived
from hydra.venues.simulated.playback import BarBegun, SessionClosed, market_events
from hydra.venues.simulated.request_log import MemoryLog
from hydra.venues.simulated.requests import Replace, Submit
from hydra.venues.simulated.terms import VenueTerms
from tests.contracts.venues.face import Booked, Books, Face, FaceTerms, Traits
from tests.contracts.venues.scene import bars
from tests.venues.server.kit import OPEN, market


class InProcessFace(Face):
    """Everything that follows from a call has been told when it returns."""

    traits = Traits(
        has_stream=False,
        tells_replacements=True,
        looks_when_a_cancel_is_refused=False,
        replaces_what_has_traded=True,
    )

    def __init__(self, terms: FaceTerms) -> None:
        super().__init__()
        data = market(*bars())
        self._now = OPEN - MINUTE
        self._log = MemoryLog()
        self._exchange = SimulatedExchange(
            VenueTerms(
                starting_cash=terms.starting_cash,
                max_participation=terms.max_participation,
                shorts_allowed=terms.shorts_allowed,
                crypto_fee_bps=terms.coin_fee_bps,
            ),
            self._log,
        )
        self._events = list(market_events(data.bars, data.sessions))
        self._in_process = InProcessVenue(
            self._exchange, self.gate, lambda: self._now, self.told.append
        )
        self.venue = self._in_process

    def go_to(self, at: int) -> None:
        while self._events and self._events[0][0] <= at:
            self._now, event = self._events.pop(0)
            match event:
                case BarBegun(bar=bar):
                    self._in_process.begin_bars((bar,))
                case Bar():
                    self._in_process.on_bars((event,))
                case SessionClosed():
                    self._in_process.close_session(event.at)
                case _:
                    pass  # the market's end is nothing to a venue
        self._now = at

    def books(self) -> Books:
        taken = self._exchange.engine.snapshot(self._now, 0)
        return Books(
            orders=tuple(
                Booked(each.order.client_order_id, each.status.is_open, each.filled_quantity)
                for each in taken.orders
                if each.status is not OrderStatus.REJECTED
            ),
            positions={each.symbol: each.quantity for each in taken.positions},
            cash=taken.account.cash,
            executions=tuple(fill.execution_id for fill in taken.fills),
        )

    def order_requests(self) -> tuple[str, ...]:
        return tuple(
            line.request.order.client_order_id
            for line in self._log.lines
            if isinstance(line, RequestReceived) and isinstance(line.request, Submit | Replace)
        )

    def settle(self) -> None:
        """Nothing is under way."""

    def cut_stream(self) -> None:
        """There is none."""

    def close(self) -> None:
        assert self.gate.in_flight() == ()
