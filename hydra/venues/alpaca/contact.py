"""The first contact with a broker: everything is read once, nothing is written.

Each finding is one line for an operator. They go on after one that failed, so that one run shows
all that is wrong; whoever asked must not trade unless every one of them passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from hydra.trading.durations import SECOND
from hydra.trading.echo import words
from hydra.trading.findings import Finding
from hydra.trading.local_time import new_york_date
from hydra.trading.sessions import SessionTable
from hydra.venues.alpaca import wire
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.budget import Use
from hydra.venues.alpaca.calendar import seen_calendar
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.corporate_actions import ActionReads
from hydra.venues.alpaca.identity import Identity, clock_skew, identity_disagreement, skew_fault
from hydra.venues.alpaca.market_rest import MarketReads
from hydra.venues.alpaca.outcomes import Ok, describe
from hydra.venues.alpaca.payloads import (
    AccountPayload,
    ClockPayload,
    read_account,
    read_asset,
    read_clock,
)
from hydra.venues.alpaca.reads import ReadFailed, get

T = TypeVar("T")

ACTIONS_REACH = timedelta(days=30)


class Contact:
    """Reads once all that trading rests on: REST only; the streams are looked at by their own."""

    def __init__(
        self,
        trading: Calls,
        market: MarketReads,
        actions: ActionReads,
        sessions: Callable[[str, str], SessionTable],
        *,
        market_time: Callable[[], int],
        trades_crypto: bool = False,
    ) -> None:
        """`sessions` are those that the engine goes by, from one ISO date to another."""
        self._sessions = sessions
        self._trading = trading
        self._market = market
        self._actions = actions
        self._market_time = market_time
        self._trades_crypto = trades_crypto

    def findings(
        self, identity: Callable[[str], Identity], symbol: str, deadline: float
    ) -> tuple[Finding, ...]:
        """Look at everything, by `deadline` (monotonic, s).

        `identity` is what else is known, given the account's number; `symbol` is a share that is
        to be traded.
        """
        account = self._account(identity, deadline)
        rest = (
            self._clock(deadline),
            self._calendar(deadline),
            self._asset(symbol, deadline),
            self._quote(symbol, deadline),
            self._corporate_actions(symbol, deadline),
        )
        return (*account, *rest)

    def _account(self, identity: Callable[[str], Identity], deadline: float) -> Iterator[Finding]:
        try:
            payload: AccountPayload = self._got("/v2/account", {}, read_account, deadline)
            account = wire.account(payload, self._trades_crypto)
        except (ReadFailed, BadAnswer) as failed:
            yield Finding("account", False, str(failed))
            return
        yield Finding("account", True, f"{words(account.account)}, {account.cash:f} USD in cash")
        disagreement = identity_disagreement(identity(account.account))
        yield Finding("identity", disagreement is None, disagreement or "all names agree")
        blocked = account.blocked
        yield Finding(
            "may trade", not blocked, f"the account may not: {blocked}" if blocked else "it may"
        )

    def _clock(self, deadline: float) -> Finding:
        sent_at = self._market_time()
        try:
            clock: ClockPayload = self._got("/v2/clock", {}, read_clock, deadline)
            skew = clock_skew(clock, sent_at, self._market_time())
        except (ReadFailed, BadAnswer) as failed:
            return Finding("clock", False, str(failed))
        fault = skew_fault(skew)
        agrees = f"{skew.ahead / SECOND:+.3f} s against ours"
        return Finding("clock", fault is None, fault or agrees)

    def _calendar(self, deadline: float) -> Finding:
        today = new_york_date(self._market_time())
        try:
            seen = seen_calendar(self._trading, self._sessions, today, deadline)
        except (ReadFailed, BadAnswer) as failed:
            return Finding("calendar", False, str(failed))
        if seen.parted:
            line = f"{seen.parted[0]}; nothing is entered on that day: be flat before it begins"
            return Finding("calendar", False, line)
        return Finding("calendar", True, f"next session {seen.coming}")

    def _asset(self, symbol: str, deadline: float) -> Finding:
        try:
            asset = self._got(f"/v2/assets/{symbol}", {}, read_asset, deadline)
        except ReadFailed as failed:
            return Finding("asset", False, str(failed))
        may_trade = asset.status == "active" and asset.tradable is True
        tradable = "tradable" if asset.tradable else "not tradable"
        line = f"{words(asset.symbol)} is {words(asset.status)} and {tradable}"
        return Finding("asset", may_trade, line)

    def _quote(self, symbol: str, deadline: float) -> Finding:
        try:
            quote = self._market.stock_quotes([symbol], deadline).get(symbol)
        except ReadFailed as failed:
            return Finding("quote", False, str(failed))
        if quote is None:
            return Finding("quote", False, f"the feed has never had one of {symbol}")
        age_s = (self._market_time() - quote.at) / SECOND
        return Finding("quote", True, f"{symbol} {quote.bid}/{quote.ask}, {age_s:.0f} s old")

    def _corporate_actions(self, symbol: str, deadline: float) -> Finding:
        """Without them nothing is entered."""
        name, today = "corporate actions", new_york_date(self._market_time())
        try:
            found = self._actions.actions([symbol], today, today + ACTIONS_REACH, deadline)
        except ReadFailed as failed:
            hint = "keys that may not read them: broker.corporate_actions in settings.yaml"
            return Finding(name, False, f"{failed}; so no share is entered ({hint})")
        if found.unread:
            return Finding(name, False, f"one of {symbol} cannot be read, so it is not entered")
        coming = f"{len(found.actions)} of {symbol} within {ACTIONS_REACH.days} days"
        return Finding(name, True, coming)

    def _got(
        self, path: str, query: dict[str, str], read: Callable[[bytes], T], deadline: float
    ) -> T:
        outcome = self._trading.call(get(path, query), read, Use.RECONCILE, deadline=deadline)
        if isinstance(outcome, Ok):
            return outcome.value
        raise ReadFailed(f"GET {path}: {describe(outcome)}")
