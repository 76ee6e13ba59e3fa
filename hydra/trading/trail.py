"""The highest price that a trailing stop follows, as it is kept on record.

A stop that trails in the engine forgets, with the process, how far it had come: it would begin
again at the entry, and give back what was gained. So the highest price goes on record, and is
taken up by whoever starts next. Not at each bar: only once the trailing stop is the nearer of the
two, and again when it has risen by a tenth of its distance. So a stop may begin that much lower
after a kill, and no more.

It belongs to the lots that were open then. Another position has other lots, so that what is on
record of the last one never counts for it.
"""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

import msgspec

from hydra.trading.exact import add, multiply, percent_of
from hydra.trading.exit_rules import ExitRules
from hydra.trading.inventory import FifoInventory

LEAST_RISE = Decimal("0.1")
"""Of the distance between the highest price and the stop."""
_PREFIX = "trail:"


class UnreadableTrail(ValueError):
    """What is on record of a trailing stop is none: its bot must not guess where it was."""


class Trail(msgspec.Struct, frozen=True, kw_only=True):
    """The highest price since the entry, of the position that is made of these lots."""

    lots: tuple[str, ...]
    """The executions that opened them."""
    highest: Decimal

    @property
    def text(self) -> str:
        """As it goes on record."""
        return msgspec.json.encode(self).decode()


def trail_key(bot: str) -> str:
    """Under this key the ledger keeps it."""
    return f"{_PREFIX}{bot}"


def readable_trails(values: Mapping[str, str]) -> dict[str, Trail]:
    """Those among the values that the ledger keeps, by the bot that each is of.

    For whoever looks after what bots hold that do not run. One that cannot be read is left out:
    what else guards the position does so without it.
    """
    found: dict[str, Trail] = {}
    for key, text in values.items():
        if key.startswith(_PREFIX):
            with suppress(UnreadableTrail):
                trail = trail_of(text)
                if trail is not None:
                    found[key.removeprefix(_PREFIX)] = trail
    return found


def trail_of(text: str) -> Trail | None:
    """What is on record; None if that is nothing (""). Raises `UnreadableTrail`."""
    if not text:
        return None
    try:
        trail = msgspec.json.decode(text, type=Trail)
    except msgspec.MsgspecError as error:
        raise UnreadableTrail(f"found {text!r} on record, wanted a trail: {error}") from error
    if not (trail.highest.is_finite() and trail.highest > 0):
        raise UnreadableTrail(f"found a highest price of {trail.highest}, wanted one over zero")
    return trail


def highest_on_record(trail: Trail | None, inventory: FifoInventory) -> Decimal | None:
    """The highest price of this very position, None if there is none on record of it."""
    return trail.highest if trail is not None and _is_of(trail, inventory) else None


def to_keep(
    kept: Trail | None, rules: ExitRules, inventory: FifoInventory, highest: Decimal | None
) -> Trail | None:
    """What is to go on record in the place of `kept`; None: that is good enough, or nothing is."""
    if highest is None or rules.trailing_stop_pct is None:
        return None
    average = inventory.average_price
    if average is None:
        return None
    level = rules.trailing_price(highest)
    if level is None or level <= rules.stop_price(average):
        return None
    found = Trail(lots=_names(inventory), highest=highest)
    if kept is None or not set(found.lots) <= set(kept.lots):
        return found
    rise = multiply(percent_of(kept.highest, rules.trailing_stop_pct), LEAST_RISE)
    return found if highest >= add(kept.highest, rise) else None


def _is_of(trail: Trail, inventory: FifoInventory) -> bool:
    """Lots come and go one at a time, and each is named before the one before it can be gone."""
    return not set(trail.lots).isdisjoint(_names(inventory))


def _names(inventory: FifoInventory) -> tuple[str, ...]:
    return tuple(lot.execution_id for lot in inventory.lots)
