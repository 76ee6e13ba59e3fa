"""The course of the day: what time alone does to orders, positions and the account's figures."""

from hydra.trading.durations import MINUTE
from hydra.trading.sessions import ExchangeSession, utc_date
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.floor import Floor
from hydra.venues.simulated.brokerage.groups import is_leg
from hydra.venues.simulated.brokerage.lives import OrderLives
from hydra.venues.simulated.brokerage.options_desk import OptionsDesk
from hydra.venues.simulated.brokerage.order_hours import is_on
from hydra.venues.simulated.brokerage.timetable import (
    last_session_before,
    next_session_moment,
    session_closing_at,
)
from hydra.venues.simulated.brokerage.valuation import equity_at, figures_of, value_of
from hydra.venues.simulated.brokerage.words import Status


class Day:
    """Moments are done one after the other, each at its own time, whenever somebody comes by."""

    def __init__(self, books: Books, lives: OrderLives, floor: Floor, options: OptionsDesk) -> None:
        self._books = books
        self._lives = lives
        self._floor = floor
        self._options = options
        self._done_until: int | None = None
        self._next: int | None = None
        self._next_is_known = False
        self._next_of_sessions: int | None = None
        self._sessions_are_known = False

    def look_again(self) -> None:
        """Orders or positions have changed, and with them what is next."""
        self._next_is_known = False

    def look_at_the_calendar(self) -> None:
        """Sessions may have changed too."""
        self._next_is_known = self._sessions_are_known = False

    def come_to(self, at: int) -> None:
        """Do all that was to happen up to and at `at`. What is past is left as it is."""
        if self._done_until is None:
            self._begin(at)
        while (moment := self._next_moment()) is not None and moment <= at:
            self._books.now = max(self._books.now, moment)
            self._done_until = moment
            self.look_at_the_calendar()
            self._happen(moment)
        self._books.now = max(self._books.now, at)
        self._note_equity()

    def _begin(self, at: int) -> None:
        books = self._books
        self._done_until = at
        session = last_session_before(books.sessions, at)
        books.balance_asof = utc_date(at) if session is None else session.date

    def _next_moment(self) -> int | None:
        if not self._next_is_known:
            assert self._done_until is not None
            after, orders = self._done_until, self._books.orders.open_orders()
            if not self._sessions_are_known:
                self._next_of_sessions = next_session_moment(self._books.sessions, after)
                self._sessions_are_known = True
            moments = [
                self._next_of_sessions,
                self._options.next_moment(after),
                *(order.expires_at for order in orders),
            ]
            self._next = min((m for m in moments if m is not None and m > after), default=None)
            self._next_is_known = True
        return self._next

    def _happen(self, moment: int) -> None:
        """First what ends, then what begins."""
        books = self._books
        closed = session_closing_at(books.sessions, moment)
        if closed is not None:
            self._floor.closing_auction(closed)
        for order in books.orders.open_orders():
            is_over = order.expires_at is not None and order.expires_at <= moment
            if is_over and not books.orders[order.id].status.is_terminal:
                self._lives.end(order.id, Status.EXPIRED)
        if closed is not None:
            self._end_day(closed)
        for order in books.orders.open_orders():
            asset = books.market.asset(order.symbol)
            is_queued = order.status is Status.ACCEPTED and not is_leg(order)
            if is_queued and is_on(order, asset, books.sessions, moment):
                self._lives.go_live(order.id)
        self._options.close_what_is_too_dear()
        self._options.settle()
        self._floor.meet_arrivals()

    def _end_day(self, session: ExchangeSession) -> None:
        """The figures that tomorrow is measured by are those at the close."""
        books, at = self._books, session.close_at - 1
        books.last_equity = equity_at(books, at)
        books.last_maintenance_margin = figures_of(books, at=at).maintenance_margin
        books.balance_asof = session.date
        books.holdings.begin_day({h.symbol: value_of(h, books, at) for h in books.holdings})

    def _note_equity(self) -> None:
        books = self._books
        minute = books.now - books.now % MINUTE
        if not books.equity_seen or books.equity_seen[-1][0] < minute:
            books.equity_seen.append((minute, equity_at(books, books.now)))
