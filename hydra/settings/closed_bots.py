"""What a reload takes away from bots: they enter nothing there any more, and manage what they hold.

A bot that is switched off while it holds a position is still the one that knows its stop and its
time. So it runs on until the engine stops; only its entries are closed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hydra.settings.safer import Safer
from hydra.settings.section import Section
from hydra.settings.whole import Settings


@dataclass(frozen=True, slots=True)
class ClosedTo:
    """Entries of this bot are closed; `symbol` None: in all that it trades. `why`, in words."""

    bot: str
    symbol: str | None
    why: str


def still_managed(old: Settings, new: Settings) -> tuple[Settings, tuple[ClosedTo, ...]]:
    """The new settings with every bot and symbol that the old ones had, and what is closed of it.

    Bots that are off in both stay off. The digest of what is given is nobody's business.
    """
    closed = list[ClosedTo]()
    sections = dict[str, Any]()
    for name, section in new:
        before = getattr(old, name)
        if isinstance(section, tuple):
            known = {bot_id_of(bot): bot for bot in before}
            sections[name] = tuple(
                _managed(known[bot_id_of(bot)], bot, closed) if bot_id_of(bot) in known else bot
                for bot in section
            )
        elif isinstance(section, Section) and "bot_id" in type(section).model_fields:
            sections[name] = _managed(before, section, closed)
    return new.model_copy(update=sections), tuple(closed)


def _managed(before: Section, after: Section, closed: list[ClosedTo]) -> Section:
    bot = bot_id_of(before)
    back = dict[str, object]()
    for name, was, now in _taken_away(before, after):
        back[name] = was
        if isinstance(was, bool):
            closed.append(ClosedTo(bot, None, "the bot is switched off in bots.yaml"))
        elif isinstance(was, tuple) and isinstance(now, tuple):
            closed += [
                ClosedTo(bot, symbol, f"{symbol} was taken from its {name} in bots.yaml")
                for symbol in was
                if symbol not in now
            ]
    return after.model_copy(update=back) if back else after


def _taken_away(before: Section, after: Section) -> Iterator[tuple[str, object, object]]:
    for name, field in type(after).model_fields.items():
        was, now = getattr(before, name), getattr(after, name)
        is_off = name == "enabled" and was and not now
        if is_off or (Safer.FEWER in field.metadata and set(was) - set(now)):
            yield name, was, now


def bot_id_of(bot: Section) -> str:
    """Of a bot's section."""
    name = dict(bot)["bot_id"]
    assert isinstance(name, str)
    return name
