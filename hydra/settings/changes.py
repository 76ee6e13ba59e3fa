"""What differs between two configurations, and which of it a running engine may take.

Tightening is easy, loosening is not: a reload takes a change only if every part of it is safer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from hydra.settings.bot_parts import TradingWindow
from hydra.settings.bot_sections import MomentumBotSettings
from hydra.settings.entries import Entry, entries_of
from hydra.settings.kinds import Choice
from hydra.settings.outside_sections import PluginBotSettings
from hydra.settings.safer import Safer
from hydra.settings.section import Section
from hydra.settings.stretch import Stretch
from hydra.settings.whole import Settings

READ_AT_START = {
    "health.": "the connection to the broker is made with it",
    "guards.deadlines.": "whoever waits for the broker has learned it at the start",
    "broker.corporate_actions": "who is asked for them is decided at the start",
    "live.": "what live may do is decided at the start",
}
"""What no running engine takes, however much tighter it is: the beginning of the key, and why."""


_Listed: TypeAlias = dict[str, tuple[bool, str]]
"""Bots by their ids: whether each is enabled, and what it trades."""


class Effect(Enum):
    """What a change does to what can be lost."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    OTHER = "other"
    """Neither, or not to be told from the value alone."""


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs. Values as the files would have them; None: not there."""

    key: str
    old: str | None
    new: str | None
    effect: Effect

    def __str__(self) -> str:
        old, new = ("nothing" if text is None else text for text in (self.old, self.new))
        return f"{self.key}: {old} -> {new} ({self.effect.value})"


@dataclass(frozen=True, slots=True)
class ReloadVerdict:
    """Whether a reload takes the changes: all of them or none, never a part.

    `reasons`: one line for each change that only a restart may bring. `restart_will_do`: a restart
    alone brings them, since none of them loosens anything; else a person has to want it.
    """

    is_taken: bool
    reasons: tuple[str, ...]
    restart_will_do: bool = False


def changes_between(old: Settings, new: Settings) -> tuple[Change, ...]:
    """Every difference, in the order of the files; none exactly if the digests are the same."""
    return (*_changed_values(old, new), *_changed_bots(old, new))


def reload_verdict(changes: tuple[Change, ...]) -> ReloadVerdict:
    """What a running engine may do with these changes."""
    reasons = tuple(f"{each}: {why}" for each in changes if (why := _why_not_now(each)) is not None)
    loosens = any(each.effect is Effect.LOOSER for each in changes)
    return ReloadVerdict(
        is_taken=not reasons, reasons=reasons, restart_will_do=bool(reasons) and not loosens
    )


def _why_not_now(change: Change) -> str | None:
    """None: a running engine may take it."""
    match change.effect:
        case Effect.LOOSER:
            return "a looser setting needs a restart, and a reason for the record"
        case Effect.OTHER:
            return "it cannot change while the engine runs; restart it"
        case Effect.TIGHTER:
            known = (why for place, why in READ_AT_START.items() if change.key.startswith(place))
            why = next(known, None)
            return None if why is None else f"it is tighter, but {why}; restart the engine"


def _changed_values(old: Settings, new: Settings) -> Iterator[Change]:
    """Of settings that are in both."""
    before = {entry.key: entry for entry in entries_of(old)}
    for entry in entries_of(new):
        was = before.get(entry.key)
        if was is not None and was.text != entry.text:
            yield Change(entry.key, was.text, entry.text, _effect(was, entry))


def _changed_bots(old: Settings, new: Settings) -> Iterator[Change]:
    """Of the lists of bots: those that came, went or changed places."""
    yield from _changed_list(
        "momentum_bots", _listed(old.momentum_bots), _listed(new.momentum_bots)
    )
    yield from _changed_list("plugin_bots", _listed(old.plugin_bots), _listed(new.plugin_bots))


def _listed(bots: tuple[MomentumBotSettings, ...] | tuple[PluginBotSettings, ...]) -> _Listed:
    told: _Listed = {}
    for bot in bots:
        where = bot.ticker if isinstance(bot, MomentumBotSettings) else ", ".join(bot.symbols)
        told[bot.bot_id] = (bot.enabled, where)
    return told


def _changed_list(key: str, before: _Listed, after: _Listed) -> Iterator[Change]:
    """One that is renamed goes and comes."""
    for bot_id, bot in before.items():
        if bot_id not in after:
            # Its position would be nobody's.
            yield Change(f"{key}[{bot_id}]", _told(*bot), None, Effect.OTHER)
    for bot_id, bot in after.items():
        if bot_id not in before:
            effect = Effect.LOOSER if bot[0] else Effect.OTHER
            yield Change(f"{key}[{bot_id}]", None, _told(*bot), effect)
    stayed = [bot_id for bot_id in before if bot_id in after]
    places = [bot_id for bot_id in after if bot_id in before]
    if stayed != places:
        yield Change(key, ", ".join(stayed), ", ".join(places), Effect.OTHER)


def _told(is_enabled: bool, where: str) -> str:
    return f"{'a bot' if is_enabled else 'a disabled bot'} on {where}"


def _effect(old: Entry, new: Entry) -> Effect:
    match old.safer:
        case Safer.LOWER:
            return _tighter_if(_rank(new) < _rank(old))
        case Safer.HIGHER | Safer.LAST:
            return _tighter_if(_rank(new) > _rank(old))
        case Safer.ON:
            return _tighter_if(new.value is True)
        case Safer.OFF:
            return _tighter_if(new.value is False)
        case Safer.NARROWER:
            return _effect_on_window(old.section, new.section, new.key.rpartition(".")[2])
        case Safer.FEWER:
            return _effect_on_list(old.value, new.value)
        case Safer.MORE:
            return _effect_on_list(new.value, old.value)
        case Safer.NEITHER:
            return Effect.OTHER


def _tighter_if(claim: bool) -> Effect:
    return Effect.TIGHTER if claim else Effect.LOOSER


def _rank(entry: Entry) -> Decimal:
    """A number's own value, or which of its choices a word is. Off is beyond every number."""
    value = entry.value
    if value is None:
        return Decimal("Infinity")  # off: there is no such limit
    if isinstance(entry.kind, Choice):
        return Decimal([member is value for member in entry.kind.members].index(True))
    assert isinstance(value, int | Decimal)
    return Decimal(value)


def _effect_on_list(old: object, new: object) -> Effect:
    """Where fewer are safer; where more are, with the two exchanged."""
    assert isinstance(old, tuple) and isinstance(new, tuple)
    if set(new) - set(old):
        return Effect.LOOSER
    is_shorter = len(new) < len(old) and new == tuple(each for each in old if each in new)
    return Effect.TIGHTER if is_shorter else Effect.OTHER


def _effect_on_window(old: Section, new: Section, name: str) -> Effect:
    """Of one time of a window: changed alone, and then with the window's other times.

    Times that each look narrower can make another window together: 09:00 to 12:00 does not hold
    11:00 to 10:00, which runs past midnight.
    """
    assert isinstance(old, TradingWindow) and isinstance(new, TradingWindow)
    times = ("trade_start", "trade_end", "manage_until")
    narrower = {
        changed
        for changed in times
        if _is_within([getattr(new if each == changed else old, each) for each in times], old)
    }
    if len(narrower) == len(times):
        return _tighter_if(_is_within([getattr(new, each) for each in times], old))
    return _tighter_if(name in narrower)


def _is_within(times: list[time], old: TradingWindow) -> bool:
    trade_start, trade_end, manage_until = times
    return Stretch.of(old.trade_start, old.trade_end).holds(
        Stretch.of(trade_start, trade_end)
    ) and Stretch.of(old.trade_start, old.manage_until).holds(Stretch.of(trade_start, manage_until))
