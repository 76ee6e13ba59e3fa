"""Closing everything, because an operator said so: pause, cancel, close, verify.

1. Trading is paused, on record. 2. Every open order is canceled, again every 5 s, until the venue
shows none. 3. The account is read again, and what it holds is closed: only as much as both the
venue's position and a bot's own say, so that a closing order can open nothing; all buys first (a
short has no floor to its loss), and sells when they have ended, so that no two of them meet. 4. The
account is read again, and what is left is closed again, at most three rounds a side in which
nothing became less: so a coin of which one order may not be for all goes part by part. 5. It is
flat when it was seen empty twice, at least 2 s apart, not before.

What is held in a market that is closed cannot be closed: the stops that protect it stay there, and
once all else is closed it waits for the opening, and then goes on with new rounds. An operator may
withdraw it at any time: nothing more is sent, and the pause stays.

Pure: `after(state, event)` gives the next state and what is to be done. The state is to be on
record before its effects are carried out. Then it goes on after a crash where it was, with
`Restarted` as the first event: it reads the account anew and assumes nothing.

Times are machine time (monotonic ns), quantities signed: over zero is long, or a buy.
"""

from decimal import Decimal
from enum import Enum
from typing import TypeAlias, assert_never

import msgspec
from msgspec import structs

from hydra.trading.closing import Close, closes_of, to_close
from hydra.trading.durations import SECOND
from hydra.trading.exact import total
from hydra.trading.flatten_events import (
    Asked,
    CancelAll,
    CloseEnded,
    Done,
    Effect,
    Event,
    Failed,
    LatchPause,
    Opened,
    Paused,
    ReadAccount,
    ReadingFailed,
    Restarted,
    Snapshot,
    Tick,
    Waits,
    Withdrawn,
)
from hydra.trading.trading_state import TradingState

CANCEL_AGAIN_NS = 5 * SECOND
READ_AGAIN_NS = 2 * SECOND
"""From the answer to one reading of the account to the next, hence also between two empty ones."""
READ_PATIENCE_NS = 30 * SECOND
"""An answer that is out for longer is lost. More than the calls of one reading may take."""
CLOSE_PATIENCE_NS = 75 * SECOND
"""A closing order that has not ended by then is canceled, and another round begins. More than a
minute, so that it meets a bar where the venue trades by them.
"""
OWNER_PATIENCE_NS = 60 * SECOND
"""Fills may be heard late. What belongs to no bot after this time does not become anybody's."""
ROUNDS_MAX = 3


class Phase(Enum):
    """How far it has come."""

    NONE = "none"
    PAUSING = "pausing"
    CANCELING = "canceling"
    CLOSING = "closing"
    VERIFYING = "verifying"
    WAITING = "waiting"
    """For a market to open."""
    FLAT = "flat"
    FAILED = "failed"

    @property
    def is_under_way(self) -> bool:
        """Whether anything is still to be done."""
        return self not in (Phase.NONE, Phase.FLAT, Phase.FAILED)


class FlattenState(msgspec.Struct, frozen=True, kw_only=True):
    """Where a flatten is. It can be written as JSON."""

    phase: Phase = Phase.NONE
    reason: str = ""
    operator: str = ""
    pause: TradingState = TradingState.CLOSE_ONLY
    failure: str = ""
    waits_for: tuple[str, ...] = ()
    """The symbols that are held in a closed market, while it waits for that to open."""
    kept: tuple[str, ...] = ()
    """The orders that protect them meanwhile."""
    open_orders: tuple[str, ...] = ()
    """As last read."""
    left: tuple[tuple[str, Decimal], ...] = ()
    """What is to be closed (symbol, position), as last read."""
    reading: int = 0
    """The number of the last reading asked for, ever."""
    read_at: int = 0
    """When it was asked for."""
    is_out: bool = False
    """Whether its answer is waited for."""
    heard_at: int = 0
    """When the last answer came."""
    canceled_at: int | None = None
    """When cancels were last asked for."""
    round: int = 0
    """The number of the last round of closing orders, ever."""
    buy_rounds: int = 0
    sell_rounds: int = 0
    working: tuple[Close, ...] = ()
    """Closing orders that have not ended."""
    sent_at: int = 0
    """When they were sent."""
    ownerless_since: int | None = None
    """Since when there is something left that no bot has to close."""
    refused: str = ""
    """Why the last closing order that was refused was, in words."""

    @property
    def detail(self) -> str:
        """In words, for an operator."""
        parts = [self.failure] if self.failure else []
        if self.waits_for:
            held = ", ".join(self.waits_for)
            parts.append(f"the exchange is closed, so that {held} cannot be closed before it opens")
        if self.kept:
            parts.append(f"what protects it stays: {', '.join(self.kept)}")
        if self.open_orders:
            parts.append(f"open orders: {', '.join(self.open_orders)}")
        if self.left:
            held = ", ".join(f"{quantity:f} {symbol}" for symbol, quantity in self.left)
            parts.append(f"positions: {held}")
        return "; ".join(parts)


Step: TypeAlias = tuple[FlattenState, tuple[Effect, ...]]


def after(state: FlattenState, event: Event) -> Step:
    """The flatten once this has happened, and what is to be done."""
    if isinstance(event, Asked):
        return _asked(state, event)
    if not state.phase.is_under_way:
        return state, ()
    match event:
        case Paused():
            return _paused(state, event.now)
        case Snapshot():
            return _read(state, event)
        case ReadingFailed():
            return _reading_failed(state, event)
        case CloseEnded():
            return _close_ended(state, event)
        case Tick():
            return _ticked(state, event.now)
        case Opened():
            return _opened(state, event.now)
        case Restarted():
            return _restarted(state, event.now)
        case Withdrawn():
            return _fail(state, f"withdrawn by {event.operator}: {event.reason}")
        case _:
            assert_never(event)


def _asked(state: FlattenState, event: Asked) -> Step:
    """Asked for again while under way, it can only make the pause worse."""
    wanted = max(event.pause, TradingState.CLOSE_ONLY, key=lambda pause: pause.severity)
    if not state.phase.is_under_way:
        state = FlattenState(
            phase=Phase.PAUSING,
            reason=event.reason,
            operator=event.operator,
            pause=wanted,
            reading=state.reading,
            round=state.round,
        )
    elif wanted.severity > state.pause.severity:
        state = structs.replace(state, pause=wanted)
    else:
        return state, ()
    return state, (LatchPause(wanted, event.reason, event.operator),)


def _paused(state: FlattenState, now: int) -> Step:
    if state.phase is not Phase.PAUSING:
        return state, ()
    return _reading(structs.replace(state, phase=Phase.CANCELING), now)


def _restarted(state: FlattenState, now: int) -> Step:
    """Old times mean nothing: the machine may have been started anew as well."""
    pause = LatchPause(state.pause, state.reason, state.operator)
    if state.phase is Phase.PAUSING:
        return state, (pause,)
    state = structs.replace(
        _no_longer_waiting(state), canceled_at=None, working=(), ownerless_since=None
    )
    state, reads = _reading(state, now)
    return state, (pause, *reads)


def _opened(state: FlattenState, now: int) -> Step:
    """What came to nothing before the market closed may come to something now."""
    if state.phase is not Phase.WAITING:
        return state, ()
    state = structs.replace(_no_longer_waiting(state), buy_rounds=0, sell_rounds=0)
    return _reading(state, now)


def _no_longer_waiting(state: FlattenState) -> FlattenState:
    return structs.replace(state, phase=Phase.CANCELING, waits_for=(), kept=())


def _ticked(state: FlattenState, now: int) -> Step:
    if state.phase in (Phase.PAUSING, Phase.WAITING):
        return state, ()
    if state.working:
        if now - state.sent_at < CLOSE_PATIENCE_NS:
            return state, ()
        return _reading(structs.replace(state, phase=Phase.CANCELING, working=()), now)
    state, cancels = _cancels(state, now)
    since, patience_ns = state.heard_at, READ_AGAIN_NS
    if state.is_out:
        since, patience_ns = state.read_at, READ_PATIENCE_NS
    if now - since < patience_ns:
        return state, cancels
    state, reads = _reading(state, now)
    return state, (*cancels, *reads)


def _close_ended(state: FlattenState, event: CloseEnded) -> Step:
    over = (event.bot, event.symbol, event.number)
    working = tuple(
        close for close in state.working if (close.bot, close.symbol, close.number) != over
    )
    if len(working) == len(state.working):
        return state, ()
    state = structs.replace(state, working=working, refused=event.refused or state.refused)
    return (state, ()) if working else _reading(state, event.now)


def _read(state: FlattenState, snapshot: Snapshot) -> Step:
    """An answer counts only if it is the one waited for: positions of an older one may have been
    closed since.
    """
    if not _is_waited_for(state, snapshot.number):
        return state, ()
    positions = ((holding.symbol, to_close(holding)) for holding in snapshot.holdings)
    left = tuple((symbol, quantity) for symbol, quantity in positions if quantity)
    if _size(left) < _size(state.left):  # it comes on, if only piece by piece
        state = structs.replace(state, buy_rounds=0, sell_rounds=0)
    state = structs.replace(
        state, is_out=False, heard_at=snapshot.now, open_orders=snapshot.open_orders, left=left
    )
    if snapshot.open_orders:
        return _cancels(structs.replace(state, phase=Phase.CANCELING), snapshot.now)
    if not left:
        return _verify(state, snapshot)
    if state.phase is Phase.CLOSING:
        return _close(state, snapshot)
    # An order may have been executed after the positions were read and before it was gone.
    return _reading(structs.replace(state, phase=Phase.CLOSING), snapshot.now)


def _size(left: tuple[tuple[str, Decimal], ...]) -> Decimal:
    return total(quantity.copy_abs() for _, quantity in left)


def _reading_failed(state: FlattenState, event: ReadingFailed) -> Step:
    if not _is_waited_for(state, event.number):
        return state, ()
    return structs.replace(state, is_out=False, heard_at=event.now), ()


def _is_waited_for(state: FlattenState, number: int) -> bool:
    return state.is_out and number == state.reading


def _cancels(state: FlattenState, now: int) -> Step:
    """The cancels that are due now, for as long as it takes: giving up would leave orders working
    beside positions that are not watched any more.
    """
    was_just_asked = state.canceled_at is not None and now - state.canceled_at < CANCEL_AGAIN_NS
    if not state.open_orders or was_just_asked:
        return state, ()
    return structs.replace(state, canceled_at=now), (CancelAll(state.open_orders),)


def _verify(state: FlattenState, snapshot: Snapshot) -> Step:
    if state.phase is not Phase.VERIFYING:
        return structs.replace(state, phase=Phase.VERIFYING), ()
    on_record = tuple(
        (bot, holding.symbol, quantity)
        for holding in snapshot.holdings
        for bot, quantity in holding.of_bots
        if quantity
    )
    return structs.replace(state, phase=Phase.FLAT), (Done(on_record),)


def _close(state: FlattenState, snapshot: Snapshot) -> Step:
    number = state.round + 1
    closes = [
        close
        for holding in snapshot.holdings
        if holding.is_market_open
        for close in closes_of(holding, number, state.sell_rounds)
    ]
    if not closes:
        return _wait_for_the_opening(state, snapshot) or _wait_for_an_owner(state, snapshot.now)
    buys = tuple(close for close in closes if close.quantity > 0)
    sells = tuple(close for close in closes if close.quantity < 0)
    may_buy = bool(buys) and state.buy_rounds < ROUNDS_MAX
    may_sell = bool(sells) and state.sell_rounds < ROUNDS_MAX
    if not (may_buy or may_sell):
        refused = f" (the last was refused: {state.refused})" if state.refused else ""
        why = f"{ROUNDS_MAX} rounds of closing orders did not close everything{refused}"
        return _fail(state, why)
    # Turn by turn, so that buys that do not come through cannot keep the sells waiting for ever.
    is_buying = may_buy and not (may_sell and state.sell_rounds < state.buy_rounds)
    batch = buys if is_buying else sells
    state = structs.replace(
        state,
        round=number,
        buy_rounds=state.buy_rounds + is_buying,
        sell_rounds=state.sell_rounds + (not is_buying),
        working=batch,
        sent_at=snapshot.now,
        ownerless_since=None,
    )
    return state, batch


def _wait_for_the_opening(state: FlattenState, snapshot: Snapshot) -> Step | None:
    closed = tuple(
        holding.symbol
        for holding in snapshot.holdings
        if not holding.is_market_open and to_close(holding)
    )
    if not closed:
        return None
    state = structs.replace(
        state,
        phase=Phase.WAITING,
        waits_for=closed,
        kept=snapshot.kept,
        ownerless_since=None,
    )
    return state, (Waits(state.detail),)


def _wait_for_an_owner(state: FlattenState, now: int) -> Step:
    if state.ownerless_since is None:
        return structs.replace(state, ownerless_since=now), ()
    if now - state.ownerless_since < OWNER_PATIENCE_NS:
        return state, ()
    return _fail(
        state, "what is left belongs to no bot: adopt, assign or exclude it with `reconcile`"
    )


def _fail(state: FlattenState, why: str) -> Step:
    state = structs.replace(state, phase=Phase.FAILED, failure=why, waits_for=(), kept=())
    return state, (Failed(state.detail),)


def _reading(state: FlattenState, now: int) -> Step:
    number = state.reading + 1
    asking = structs.replace(state, reading=number, read_at=now, is_out=True)
    return asking, (ReadAccount(number),)
