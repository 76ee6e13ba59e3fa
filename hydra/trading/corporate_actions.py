"""Splits, mergers, spin-offs and the like: from when to when a symbol is left alone because of one.

From its ex-date on a share is another thing: there are more of them or fewer, at another price,
under another name, or none. Prices are told as they were (never adjusted), so that a split looks
like a crash, a stop of before it means nothing, and what the broker shows is not what is on record.
So nothing is held over it, and nothing is entered near it:

- entries are shut from the opening of the session before it to the close of the ex-date's session,
  or of the day on which the broker books it, if that is later;
- what is held is closed from half an hour before the close of the session before;
- bars of before the ex-date feed no indicator from its midnight in New York on.

A cash dividend of the ordinary kind is a small gap in the price and none of all this; a special one
is as large as it likes, and contracts are adjusted for it. What is of a kind that nobody here knows
is taken for the worst.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, time
from operator import attrgetter

import msgspec

from hydra.trading.durations import MINUTE
from hydra.trading.instruments import is_crypto
from hydra.trading.local_time import new_york_instant
from hydra.trading.option_symbols import parsed, root_of
from hydra.trading.sessions import SessionTable
from hydra.trading.situation import ActionsView, Situation

FLAT_BEFORE_CLOSE_NS = 30 * MINUTE
CASH_DIVIDENDS = "cash_dividends"
LOOPS_SILENT_MAX = 2
"""A verdict is heard before who tells of actions, and goes by it, has said anything."""
NEVER = 1 << 63
"""After all instants."""


class CorporateAction(msgspec.Struct, frozen=True, kw_only=True):
    """One of them, as its source tells of it. `kind` is the source's own word, known or not."""

    kind: str
    symbols: tuple[str, ...]
    """The shares that are another thing afterwards."""
    first: date
    """The ex-date: from this day on they are."""
    last: date
    """The day on which the source books it; not before `first`."""
    terms: str = ""
    """For people: 4 for 1, say."""
    is_special: bool = False
    """A dividend out of the ordinary."""


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """How long symbols are left alone because of one action. All instants are UTC ns.

    Entries are shut over [shut_from, shut_until), what is held is closed over [flat_from, cut_at),
    and what was told of before `cut_at` says nothing of what is after it.
    """

    symbols: tuple[str, ...]
    words: str
    shut_from: int
    flat_from: int
    cut_at: int
    shut_until: int


def matters(action: CorporateAction) -> bool:
    """Whether anything is to be done about it. What is not known to be harmless is not."""
    return action.kind != CASH_DIVIDENDS or action.is_special


def spell_of(action: CorporateAction, sessions: SessionTable) -> Spell:
    """The days around an action. Where the table does not reach, nobody knows which session comes
    before or after: then entries are shut from the nearest one that it has, or for good.
    """
    table = sessions.sessions
    ex = bisect_left(table, action.first.isoformat(), key=attrgetter("date"))
    before = table[ex - 1] if ex else None
    over = max(ex, bisect_right(table, action.last.isoformat(), key=attrgetter("date")) - 1)
    is_reached = over < len(table)
    ex_date = date.fromisoformat(table[ex].date) if ex < len(table) else action.first
    cut_at = new_york_instant(ex_date, time())
    return Spell(
        symbols=action.symbols,
        words=_words(action),
        shut_from=0 if before is None else before.open_at,
        flat_from=cut_at if before is None else before.close_at - FLAT_BEFORE_CLOSE_NS,
        cut_at=cut_at,
        shut_until=table[over].close_at if is_reached else NEVER,
    )


def spells_of(actions: Iterable[CorporateAction], sessions: SessionTable) -> tuple[Spell, ...]:
    """Those of all actions that matter, in the order of their dates."""
    found = (spell_of(each, sessions) for each in actions if matters(each))
    return tuple(sorted(found, key=lambda spell: (spell.cut_at, spell.symbols, spell.words)))


def share_of(symbol: str) -> str:
    """What names the share in the symbol of the contracts on it, and of the share itself."""
    option = parsed(symbol)
    return root_of(symbol) if option is None else option.root


def due_to_close(
    held: Iterable[tuple[str, str]], spells: Iterable[Spell], at: int
) -> dict[tuple[str, str], str]:
    """What is to be closed now, by bot and symbol: for which reason."""
    due = {
        root_of(symbol): spell.words
        for spell in spells
        if spell.flat_from <= at < spell.cut_at
        for symbol in spell.symbols
    }
    if not due:
        return {}
    return {place: due[share] for place in held if (share := share_of(place[1])) in due}


def cuts_of(spells: Iterable[Spell]) -> Mapping[str, tuple[int, ...]]:
    """The instants at which each share becomes another thing, in order; as contracts name it, too.

    (For what looks up a share by its own name, and a contract by its root.)
    """
    found: dict[str, set[int]] = {}
    for spell in spells:
        for symbol in spell.symbols:
            found.setdefault(symbol, set()).add(spell.cut_at)
            found.setdefault(root_of(symbol), set()).add(spell.cut_at)
    return {name: tuple(sorted(cuts)) for name, cuts in found.items()}


def newest_cut(cuts: Iterable[int], at: int) -> int:
    """The last one that has been by `at`; 0: none has."""
    return max((cut for cut in cuts if cut <= at), default=0)


class ActionsWatch:
    """What the guardian knows of corporate actions: nothing at first, which allows no entry.

    Where nobody tells of them (`is_asked` is false) nobody is waited for: bars that are played back
    have none that anybody knew of. Loops that have passed since the last word are counted, not
    seconds, as `loops` does it.
    """

    def __init__(self, *, is_asked: bool) -> None:
        self._is_asked = is_asked
        self._has_spoken = False
        self._silent = 0
        self._known: frozenset[str] = frozenset()
        self._spells: dict[str, list[Spell]] = {}

    def take(self, *, is_asked: bool) -> None:
        """Hold entries to this from now on."""
        self._is_asked = is_asked

    def told(self, known: Iterable[str], spells: Iterable[Spell]) -> None:
        """These shares' actions are known, and these days are near."""
        self._has_spoken, self._silent = True, 0
        self._known = frozenset(root_of(symbol) for symbol in known)
        self._spells = {}
        for spell in spells:
            for symbol in spell.symbols:
                self._spells.setdefault(root_of(symbol), []).append(spell)

    def loop_ran(self) -> None:
        """A loop has its verdict. One that has none is told to nobody, so it is not counted."""
        self._silent += 1

    def view(self, symbol: str, at: int) -> ActionsView:
        """As the checks see it, of a share or a contract on it, at market time `at`."""
        share = share_of(str(symbol))  # what is no text is no contract either (I34)
        is_heard = self._has_spoken and self._silent <= LOOPS_SILENT_MAX
        near = [each for each in self._spells.get(share, ()) if each.shut_from <= at]
        return ActionsView(
            is_asked=self._is_asked and not is_crypto(str(symbol)),
            is_answered=is_heard and share in self._known,
            near="; ".join(each.words for each in near if at < each.shut_until),
        )


def no_corporate_action_is_near(s: Situation) -> str | None:
    """Nothing is entered in what is split, renamed, merged or the like, from the session before to
    the end of the ex-date, nor in what nobody knows this of. Leaving is not bound to it.
    """
    actions = s.actions
    if s.proposal.reduces or actions.is_asked is False:
        return None
    if actions.is_answered is True and actions.near == "":
        return None
    if actions.near:
        return f"{actions.near}: entries are shut from the session before it to its end"
    share = share_of(str(s.proposal.symbol))
    return f"it is not known whether a split or the like of {share} is near"


def _words(action: CorporateAction) -> str:
    kind = action.kind.replace("_", " ").removesuffix("s")
    terms = f" {action.terms}" if action.terms else ""
    booked = f", booked {action.last}" if action.last != action.first else ""
    return f"{kind}{terms} of {', '.join(action.symbols)}, ex-date {action.first}{booked}"
