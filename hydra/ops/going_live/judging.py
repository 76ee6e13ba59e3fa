"""Whether a start may trade real money: pure. Whatever is not known refuses."""

from __future__ import annotations

from typing import Any

import msgspec

from hydra.ops.going_live.allowance import Allowed, LiveWord
from hydra.ops.going_live.evidence import Evidence, Wanted
from hydra.settings.live_section import LiveProfile, LiveSettings, MicroLimits

PAGE = "docs/going-live.md"
MICRO, SHOWN, ACCEPTED = "micro", "shown on paper", "accepted"
"""The grounds on which it may."""


class LiveVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """`allowed` None: it may not. `line` says it for people: what is there, what is wanted, and
    what to do. `profile` is that of the settings.
    """

    profile: str
    line: str
    allowed: Allowed | None = None
    closed: bool = False
    """It may not, and is there all the same to manage what is held: nothing is entered."""

    def told(self) -> dict[str, Any]:
        """For `status`."""
        allowed = self.allowed
        word = None if allowed is None else allowed.word
        return {
            "profile": self.profile,
            "open": allowed is not None,
            "ground": None if allowed is None else allowed.ground,
            "reason": None if word is None else word.reason,
            "by": None if word is None else word.by,
            "line": self.line,
        }


class AtWork(msgspec.Struct, frozen=True):
    """What live's record has that somebody has to look after."""

    positions: int
    orders: int

    def __bool__(self) -> bool:
        return bool(self.positions or self.orders)

    def __str__(self) -> str:
        return f"{_counted(self.positions, 'position')} and {_counted(self.orders, 'order')}"


def judged(
    live: LiveSettings,
    *,
    configuration: str,
    traded_as: str,
    evidence: Evidence | str,
    word: LiveWord | None,
    where: str,
) -> LiveVerdict:
    """What a start with these settings may do.

    `configuration` and `traded_as` name them, in the strategy mode that is configured. `evidence`
    is what paper has shown of them, or why nobody can say; `where` is its folder. `word`: what an
    operator has accepted last.
    """
    match live.profile:
        case LiveProfile.OFF:
            return LiveVerdict(
                profile=live.profile.value,
                line="found live.profile off in settings.yaml, wanted micro (low limits) or full"
                f" (once paper has shown this configuration); {PAGE} says how to begin",
            )
        case LiveProfile.MICRO:
            allowed = Allowed(ground=MICRO, traded_as=traded_as)
            return LiveVerdict(
                profile=live.profile.value,
                line=f"micro: {_limits_told(live.micro_limits)}",
                allowed=allowed,
            )
        case LiveProfile.FULL:
            return _of_full(live, configuration, traded_as, evidence, word, where)


def _of_full(
    live: LiveSettings,
    configuration: str,
    traded_as: str,
    evidence: Evidence | str,
    word: LiveWord | None,
    where: str,
) -> LiveVerdict:
    wanted = Wanted(live.min_clean_sessions, live.newest_within_sessions)
    found = evidence if isinstance(evidence, str) else _found(evidence, where)
    if isinstance(evidence, Evidence) and evidence.shows(wanted):
        return LiveVerdict(
            profile=live.profile.value,
            line=f"full: {found}, at least {wanted.in_a_row} wanted",
            allowed=Allowed(ground=SHOWN, traded_as=traded_as, newest=evidence.newest),
        )
    if word is not None and word.configuration == configuration:
        return LiveVerdict(
            profile=live.profile.value,
            line=f"full: accepted without what paper has to show: {word}; {found}",
            allowed=Allowed(ground=ACCEPTED, traded_as=traded_as, word=word),
        )
    other = "" if word is None else "; what `config accept-live` was said of is another one"
    return LiveVerdict(
        profile=live.profile.value,
        line=f"found {found}{other}; wanted {wanted.in_a_row} in a row, the newest no older than"
        f" {wanted.newest_within} sessions; trade it on paper with a snapshot each day, set"
        " live.profile: micro, or `hydra-trader config accept-live --reason ...`",
    )


def closed(verdict: LiveVerdict, at_work: AtWork) -> LiveVerdict:
    """The same where real money is at work: exits go on, so it starts, and enters nothing."""
    line = f"{verdict.line}; {at_work} are on record, so it runs and enters nothing"
    return msgspec.structs.replace(verdict, line=line, closed=True)


def _found(evidence: Evidence, where: str) -> str:
    days = _counted(evidence.in_a_row, "clean session")
    told = f"{days} in a row on paper with this configuration ({where}"
    if evidence.newest is not None:
        told += f"; up to {evidence.newest}"
    if evidence.ended_since:
        told += f", since when {evidence.ended_since} have ended"
    if evidence.ends_at:
        told += f"; {evidence.ends_at}"
    return f"{told})"


def _limits_told(limits: MicroLimits) -> str:
    return (
        f"at most {limits.entries_per_day} entries and {limits.notional_per_day_usd} USD a"
        f" day, {limits.order_notional_usd} USD an order, {limits.daily_loss_pct} percent"
        " of equity lost a day"
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
