"""Which causes stood when, by the journal of one run: the state that each order was sent in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from hydra.testkit.judge.evidence import JournalLine
from hydra.trading.causes import START, kind_of
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state


class Standing(msgspec.Struct, frozen=True):
    """From this line of the journal on, at this market time, these causes stood."""

    seq: int
    at: int
    causes: tuple[Cause, ...]

    @property
    def state(self) -> TradingState:
        """What everybody's orders found."""
        return effective_state(self.causes)

    @property
    def words(self) -> str:
        """For people."""
        return ", ".join(cause.code for cause in self.causes) or "nothing"


class Shut(msgspec.Struct, frozen=True):
    """Nothing was to be sent between these two market times; `until` None: to the run's end."""

    since: int
    until: int | None
    words: str


def standings(lines: Iterable[JournalLine], known: Sequence[Cause]) -> tuple[Standing, ...]:
    """Each change, the first of all being the start: a run begins halted (I06).

    `known` are causes as the ledger has them, in the order in which they were latched, for those
    that are only named. One of a name may have stood several times, and been worse at last.
    """
    found: list[Standing] = []
    causes: dict[str, Cause] = {}
    for line in lines:
        before = dict(causes)
        match line.event:
            case "engine_started":
                causes = {START.code: START.cause(since=line.at, detail="")}
            case "halt_latched":
                cause = msgspec.convert(line.fields["cause"], Cause)
                causes[cause.code] = cause
            case "kill_switch":
                code = str(line.fields["code"])
                causes[code] = _named(code, known, line.at, str(line.fields["state"]))
            case "halt_cleared":
                causes.pop(str(line.fields["code"]), None)
            case "trading_state":
                codes = msgspec.convert(line.fields["causes"], tuple[str, ...])
                causes = {c: causes.get(c) or _named(c, known, line.at) for c in codes}
            case _:
                continue
        if causes != before or not found:
            found.append(Standing(line.seq, line.at, tuple(causes.values())))
    return tuple(found)


def standing_at(standings: Iterable[Standing], seq: int) -> Standing | None:
    """What stood when this line of the journal was written."""
    before = [standing for standing in standings if standing.seq < seq]
    return before[-1] if before else None


def times_shut(standings: Iterable[Standing]) -> tuple[Shut, ...]:
    """When trading was HALTED, by market time."""
    found: list[Shut] = []
    for standing in standings:
        is_shut = bool(found) and found[-1].until is None
        if standing.state is TradingState.HALTED:
            if not is_shut:
                found.append(Shut(standing.at, None, standing.words))
        elif is_shut:
            found[-1] = Shut(found[-1].since, standing.at, found[-1].words)
    return tuple(found)


def _named(code: str, known: Sequence[Cause], at: int, state: str = "ACTIVE") -> Cause:
    """A cause of which a line gives no more than the name, and maybe the state."""
    kind = kind_of(code)
    for cause in reversed(known):
        if cause.code == code and cause.since <= at:
            return cause
    if kind is None:
        halted = TradingState.HALTED
        return Cause(code=code, cause_class=CauseClass.INTEGRITY, state=halted, since=at, detail="")
    subject = code.removeprefix(kind.code) if kind.has_subject else ""
    return kind.cause(since=at, detail="", subject=subject, at_least=TradingState[state])
