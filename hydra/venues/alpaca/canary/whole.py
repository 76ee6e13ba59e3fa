"""One run of the canary, whole: what is read, what is tried, and what is taken out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic

import msgspec

from hydra.settings.section import VenueName
from hydra.venues.alpaca import wire
from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.canary.desk import PREFIX, SHARES, Desk
from hydra.venues.alpaca.canary.judging import unknown
from hydra.venues.alpaca.canary.lines import Line, Verdict
from hydra.venues.alpaca.canary.listening import OrderEar, price_stream_line
from hydra.venues.alpaca.canary.probing import Probing
from hydra.venues.alpaca.canary.reading import Clock, Market, Reading, plain
from hydra.venues.alpaca.http import HttpClient
from hydra.venues.alpaca.identity import Identity, identity_disagreement, kind_of_host
from hydra.venues.alpaca.order_matrix import AssetKind
from hydra.venues.alpaca.payloads import AccountPayload
from hydra.venues.alpaca.reads import ReadFailed

WITHIN_S = 240.0
"""For all of it; taking out what is left has its own time."""
STREAM_WITHIN_S = 15.0
RUN = "run"


class NotThisAccount(Exception):
    """Keys, address, account and record are not of one practice account: nothing was sent."""


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What a run goes by. `bound_account`: the account on record, None if none is; `barred` says
    why nothing may be sent just now. Without `coins` they are left out. `run` names the run, in its
    orders' names too; `minutes_by` and `market_time` as of `Calls`.
    """

    mode: VenueName
    run: str
    shares: tuple[str, ...]
    coins: tuple[str, ...]
    bound_account: str | None
    barred: Callable[[], str | None]
    minutes_by: Callable[[], int]
    market_time: Callable[[], int]


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `account` is "" if it was not told."""

    account: str
    lines: tuple[Line, ...]
    remains: tuple[str, ...]


def look_whole(access: Access, means: Means) -> Whole:
    """Read, try and take out. Raises `NotThisAccount`, and ValueError for an account of real money.

    Whatever ends it, what it has placed is taken out first. An interrupt ends it in order, and its
    lines are those so far.
    """
    require_practice(access, means.mode)
    deadline = monotonic() + WITHIN_S

    def desk_of(client: HttpClient) -> Desk:
        calls = Calls(
            client,
            SHARES,
            minutes_by=means.minutes_by,
            market_time=means.market_time,
            ended=lambda _: None,
        )
        return Desk(calls, means.barred, deadline)

    trading = desk_of(access.trading)
    reading = Reading(trading, desk_of(access.data))
    account = reading.account()
    if account is None:  # nothing else is asked of whoever does not say whose account it is
        return Whole(account="", lines=tuple(reading.lines), remains=())
    _require_account(access, means, account)
    before = _taken_out("left by an earlier run", trading)
    lines: list[Line] = []
    try:
        _try_all(access, means, trading, reading, account, lines.append)
        reading.orders()
        reading.fills()
        lines.append(Line(check=RUN, verdict=Verdict.PASS, line="it came to its end"))
    except KeyboardInterrupt:
        lines.append(unknown(RUN, "it was interrupted"))
    finally:
        after = _taken_out("left behind", trading)
    return Whole(
        account=account.account_number,
        lines=(*reading.lines, before, *lines, after),
        remains=trading.remains,
    )


def require_practice(access: Access, mode: VenueName) -> None:
    """Raise ValueError unless no real money can be behind the address, whatever was asked for."""
    where = kind_of_host(access.addresses.trading)
    if mode is VenueName.LIVE or where not in (VenueName.PAPER, VenueName.EMBEDDED):
        raise ValueError(f"venue {mode.value} at {access.addresses.trading} is never probed")


def _require_account(access: Access, means: Means, account: AccountPayload) -> None:
    disagreement = identity_disagreement(
        Identity(
            mode=means.mode,
            base_url=access.addresses.trading,
            key_id=access.key_id.reveal(),
            account_number=account.account_number,
            bound_account=means.bound_account,
        )
    )
    if disagreement is not None:
        raise NotThisAccount(disagreement)


def _try_all(
    access: Access,
    means: Means,
    trading: Desk,
    reading: Reading,
    account: AccountPayload,
    say: Callable[[Line], None],
) -> None:
    ear = OrderEar(access)
    try:
        say(ear.start(STREAM_WITHIN_S))
        clock = reading.clock()
        if clock is not None:
            reading.calendar(clock.at)
        markets = _markets(means, trading, reading, account, clock)
        share = markets[AssetKind.EQUITY]
        seen = share.symbol if isinstance(share, Market) else means.shares[0]
        say(price_stream_line(access, seen, STREAM_WITHIN_S))
        is_open = clock is not None and clock.is_open
        for line in Probing(trading, means.run, markets, is_open=is_open, ear=ear).lines():
            say(line)
    finally:
        ear.stop()


def _markets(
    means: Means,
    trading: Desk,
    reading: Reading,
    account: AccountPayload,
    clock: Clock | None,
) -> Mapping[AssetKind, Market | str]:
    """What each kind is tried with; or why nothing is sent of it."""
    held = reading.positions()
    candidates = {AssetKind.EQUITY: means.shares, AssetKind.CRYPTO: means.coins}
    if not means.coins:
        del candidates[AssetKind.CRYPTO]
    if held is None or clock is None:
        what = "what is held" if held is None else "the time"
        return dict.fromkeys(candidates, f"{what} could not be read")
    try:
        orders = trading.open_orders()
    except ReadFailed as failed:
        return dict.fromkeys(candidates, f"what is open could not be read: {failed}")
    taken = frozenset(plain(each.symbol or "") for rows in (held, orders) for each in rows)
    markets: dict[AssetKind, Market | str] = {}
    for kind, symbols in candidates.items():
        blocked = _blocked(account, is_coin=kind is AssetKind.CRYPTO)
        markets[kind] = (
            f"the account may not trade: {blocked}"
            if blocked
            else reading.market(kind, symbols, taken, clock)
        )
    return markets


def _blocked(account: AccountPayload, *, is_coin: bool) -> str:
    try:
        return wire.account(account, trades_crypto=is_coin).blocked
    except BadAnswer as bad:
        return str(bad)


def _taken_out(check: str, trading: Desk) -> Line:
    number, why = trading.take_out()
    if why is not None:
        return unknown(check, f"what is open of {PREFIX}… could not be seen: {why}")
    if trading.remains:
        return unknown(check, f"{len(trading.remains)} may still be at the broker")
    line = f"{number} canceled, and seen to end" if number else "nothing"
    return Line(check=check, verdict=Verdict.PASS, line=line)
