"""When the account of the embedded venue is over: its record is set aside, and its halts go on.

A halt is about more than the account that it came up in: an operator said so, or something broke.
It must not end because a market came to its end. So what stands is written down on its way from the
old record to the new one, where a crash between the two cannot lose it.

A limit is the exception, as it is about the account itself: what it lost, what its venue did. It
lasts until a time of its own market, which is over; the next market may well begin before that.

So do the starts after unclean ends: too many of them are a storm, whichever accounts they are of.
"""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from hydra.crash_points import reached
from hydra.store.agreement import require_agreement
from hydra.store.engine_files import EngineFiles, end_previous_life, is_being_set_aside
from hydra.store.halt_marker import Clear, Halted, Unreadable, read_halt_marker
from hydra.store.journal_opening import journal_end
from hydra.store.ledger import Ledger
from hydra.store.ledger_guard import guard_ledger
from hydra.store.private_files import make_private_file
from hydra.trading.causes import HALT_MARKER_UNREADABLE
from hydra.trading.restarts import RESTARTS_MAX
from hydra.trading.trading_state import Cause, CauseClass
from messages.control import OPERATOR_RESUME

OF_THE_ACCOUNT = (CauseClass.LIMIT, CauseClass.COOLDOWN)
"""What ends with the account that it came up in."""

EARLIER_UNCLEAN_STARTS = "earlier_unclean_starts"
"""Under this key the ledger keeps those of accounts that were over before its own began."""
_MAKE_A_STORM = RESTARTS_MAX + 1


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """An account that is over and had something left. `held` names what it held, and `open_orders`
    the orders that worked: nobody looks after them any more.
    """

    folder: Path
    account: str
    held: tuple[str, ...]
    open_orders: tuple[str, ...]

    @property
    def words(self) -> str:
        """For people."""
        left = ", ".join((*self.held, *(f"order {name}" for name in self.open_orders)))
        return (
            f"another account begins here; {self.account} is over and set aside in {self.folder},"
            f" with {left}"
        )


GoesOn = Callable[[Ledger], bool]
"""Whether the account of this ledger is still the one to be traded."""


class CarriedHaltsUnreadable(Exception):
    """Halts were on their way to a new record, and cannot be read: nobody knows what stands."""


class CarriedHalts(msgspec.Struct, frozen=True, kw_only=True):
    """What of a record must not end with it. `word`: what an operator said of it, "" if nothing.

    `unclean_starts` are the newest, by the machine's clock (UTC ns): as many as make a storm.
    """

    halts: tuple[Cause, ...]
    word: str
    unclean_starts: tuple[int, ...] = ()


def end_life_unless(
    files: EngineFiles, venue: str, at: int, wall_at: int, goes_on: GoesOn | None
) -> SetAside | None:
    """Set the record aside, unless its account goes on. To be called under the engine's lock.

    Gives what was set aside, if it had something left. What was cut or replaced is not set aside,
    as nobody would look at it then (I54).

    `at` and `wall_at` are those of the start that asks; see `Owner`.
    Raises what opening the ledger raises: one that cannot be read may have halts in it. And
    `RecordsDisagree`.
    """
    if not files.ledger.exists() or not files.ledger.stat().st_size:
        if goes_on is None or not files.has_venue:
            end_previous_life(files)  # what is left of a record that was being set aside
        return None
    unguard = guard_ledger(files.ledger)
    try:
        with closing(Ledger.open(files.ledger, venue=venue, at=at)) as ledger:
            if goes_on is not None and goes_on(ledger):
                return None
            if not is_being_set_aside(files):
                require_agreement(ledger, journal_end(files.journal))
            for cause in _marked(files, at):
                ledger.latch_halt(cause, at)  # so that it is told what was said before it
            ledger.commit()
            carried = CarriedHalts(
                halts=tuple(
                    cause for cause in ledger.halts() if cause.cause_class not in OF_THE_ACCOUNT
                ),
                word=ledger.get(OPERATOR_RESUME) or "",
                unclean_starts=_with_this_start(ledger, wall_at),
            )
            account, held = ledger.account, _held(ledger)
            open_orders = tuple(each.state.order.client_order_id for each in ledger.open_orders())
    finally:
        unguard()
    left = _read(files)  # by a crash, before they were on this record
    if left is not None:
        # A word that was said before the newest halt was not said of it, whatever its code is.
        word = carried.word if carried.halts else left.word
        starts = sorted({*left.unclean_starts, *carried.unclean_starts})
        carried = CarriedHalts(
            halts=(*left.halts, *carried.halts),
            word=word,
            unclean_starts=tuple(starts[-_MAKE_A_STORM:]),
        )
    if carried.halts or carried.unclean_starts:
        _write(files, carried)
        reached("recovery.carried_written")
    folder = end_previous_life(files)
    if folder is None or account is None or not (held or open_orders):
        return None
    return SetAside(folder=folder, account=account, held=held, open_orders=open_orders)


def _held(ledger: Ledger) -> tuple[str, ...]:
    return tuple(
        f"{each.bot} {each.inventory.position:f} {each.inventory.symbol}"
        for each in ledger.inventories()
        if each.inventory.lots
    )


def take_over_carried(files: EngineFiles, ledger: Ledger, at: int) -> None:
    """Put the halts of the record before on this one. Again after a crash, if need be."""
    carried = _read(files)
    if carried is None:
        return
    for cause in carried.halts:
        ledger.latch_halt(cause, at)
    if carried.word:
        ledger.put(OPERATOR_RESUME, carried.word, at)
    if carried.unclean_starts:
        starts = msgspec.json.encode(carried.unclean_starts).decode()
        ledger.put(EARLIER_UNCLEAN_STARTS, starts, at)
    ledger.commit()
    reached("recovery.carried_recorded")
    files.carried_halts.unlink()
    reached("recovery.carried_done")


def unclean_starts(ledger: Ledger, since_wall: int) -> tuple[int, ...]:
    """See `Ledger.unclean_starts`; those of accounts before this one first."""
    return (
        *starts_of_accounts_before(ledger.get(EARLIER_UNCLEAN_STARTS), since_wall),
        *ledger.unclean_starts(since_wall),
    )


def _with_this_start(ledger: Ledger, wall_at: int) -> tuple[int, ...]:
    """The one that finds this record may follow an unclean end as well; the next will not tell."""
    this = (wall_at,) if wall_at and ledger.unclean_end else ()
    return (*unclean_starts(ledger, 0), *this)[-_MAKE_A_STORM:]


def starts_of_accounts_before(value: str | None, since_wall: int) -> tuple[int, ...]:
    """The same of accounts before this one alone, from what is kept of them in its ledger."""
    starts = () if value is None else msgspec.json.decode(value, type=tuple[int, ...])
    return tuple(start for start in starts if start >= since_wall)


def _read(files: EngineFiles) -> CarriedHalts | None:
    try:
        return msgspec.json.decode(files.carried_halts.read_bytes(), type=CarriedHalts)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise CarriedHaltsUnreadable(
            f"{files.carried_halts}: {error}; wanted the halts of the record that was set aside,"
            f" the newest one in {files.ended}; look there at what stood, then remove this file"
        ) from error


def _marked(files: EngineFiles, at: int) -> tuple[Cause, ...]:
    """A missing one may have been set aside already, or never made; a damaged one counts (I03)."""
    match read_halt_marker(files.halt_marker):
        case Halted() as halted:
            return halted.causes
        case Unreadable(reason=reason) if files.halt_marker.exists():
            return (HALT_MARKER_UNREADABLE.cause(since=at, detail=reason),)
        case Clear() | Unreadable():
            return ()


def _write(files: EngineFiles, carried: CarriedHalts) -> None:
    """Whole, or not at all."""
    path = files.carried_halts
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    make_private_file(new)
    descriptor = os.open(new, os.O_WRONLY)
    try:
        os.write(descriptor, msgspec.json.encode(carried))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    new.replace(path)
