"""Strategy modes: how boldly the bots trade, from as they are configured down to not at all.

A mode only ever takes away. What the configuration says is the best that is followed; a kill event
or an operator goes further down, and back up only an operator does, with a reason. Nobody comes up
by time, by a restart, or by the end of what was wrong.
"""

from collections.abc import Iterable
from enum import Enum

import msgspec
from msgspec import structs

from hydra.trading.causes import kind_of
from hydra.trading.kill_switch import is_kill
from hydra.trading.trading_state import Cause


class StrategyMode(Enum):
    """From the boldest to the safest; a step down is the next one."""

    NONE = "none"
    """The bots as they are configured, without any mode."""
    PRIMARY = "primary"
    FALLBACK = "fallback"
    CONSERVATIVE = "conservative"
    FLAT = "flat"
    """No entry at all; what is held is managed until it is closed."""

    @property
    def rank(self) -> int:
        """Larger is safer."""
        return list(StrategyMode).index(self)

    @property
    def below(self) -> "StrategyMode":
        """The next safer one. Below none, which has no ladder of its own, is flat alone."""
        ladder = list(StrategyMode)
        if self is StrategyMode.NONE:
            return StrategyMode.FLAT
        return ladder[min(self.rank + 1, len(ladder) - 1)]


class ModeWord(msgspec.Struct, frozen=True, kw_only=True):
    """What was last said of the mode while an engine ran, or by an operator: it is on record.

    `at` is market time (UTC ns). `kills`: the kill events that have had their step, by name, as
    long as they stand.
    """

    mode: StrategyMode
    reason: str
    by: str
    at: int
    kills: tuple[str, ...] = ()


NOTHING_SAID = ModeWord(mode=StrategyMode.NONE, reason="nobody said anything", by="", at=0)

STRATEGY_MODE = "strategy_mode"
"""Under this key the ledger keeps the `ModeWord`, as JSON."""


class NotAllowed(ValueError):
    """This mode cannot be chosen while the configuration stands as it does."""


def followed(configured: StrategyMode, word: ModeWord) -> StrategyMode:
    """The mode that counts: the safer one of both."""
    return max(configured, word.mode, key=lambda mode: mode.rank)


def chosen(
    configured: StrategyMode, word: ModeWord, mode: StrategyMode, *, reason: str, by: str, at: int
) -> ModeWord:
    """An operator's choice. Raises `NotAllowed` for one that the configuration does not go up to,
    and without a reason.
    """
    if not reason.strip():
        raise NotAllowed("found no reason, wanted one for the record")
    if mode.rank < configured.rank:
        raise NotAllowed(
            f"found {mode.value}, but the configuration says {configured.value} at best; change"
            " modes.selected in bots.yaml or HYDRA_STRATEGY_MODE, and restart the engine"
        )
    return structs.replace(word, mode=mode, reason=reason, by=by, at=at)


def stepped_down(
    configured: StrategyMode, word: ModeWord, standing: Iterable[Cause], at: int
) -> ModeWord:
    """One step down for every kill event that stands and has had none; the same word for none.

    An event is a cause with its time: what is latched again later is another one.
    """
    events = {_name(cause): cause for cause in standing if is_kill_event(cause)}
    news = [name for name in events if name not in word.kills]
    if not news:
        left = tuple(name for name in word.kills if name in events)
        return word if left == word.kills else structs.replace(word, kills=left)
    mode = followed(configured, word)
    for _ in news:
        mode = mode.below
    codes = ", ".join(events[name].code for name in news)
    return ModeWord(
        mode=mode, reason=f"step down after {codes}", by="engine", at=at, kills=tuple(events)
    )


def is_kill_event(cause: Cause) -> bool:
    """The kill switch, or one of the kill conditions, against everybody."""
    kind = kind_of(cause.code)
    return cause.is_global and (is_kill(cause) or (kind is not None and kind.is_exit_bots))


def written(word: ModeWord) -> str:
    """As it goes on record."""
    return msgspec.json.encode(word).decode()


def read(text: str | None) -> ModeWord:
    """What is on record. What cannot be understood is flat: it may have said so."""
    if not text:
        return NOTHING_SAID
    try:
        return msgspec.json.decode(text, type=ModeWord)
    except msgspec.DecodeError:
        unreadable = "what is on record of the strategy mode cannot be read"
        return ModeWord(mode=StrategyMode.FLAT, reason=unreadable, by="engine", at=0)


def _name(cause: Cause) -> str:
    return f"{cause.code} since {cause.since}"
