"""The live view of a run: what `status` tells and what bots decided last, as lines of a screen."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hydra.ops.control.page import PASSES, configuration_lines
from hydra.ops.debug.render import clean, style_of
from hydra.ops.debug.top import Line

CAUSES_SHOWN = 3
DECISIONS_MIN = 2
SECTIONS = 3
ROOMY = 24
"""With this many lines for them, the three sections stand apart."""
WIDE = 110
"""From this width on there is room for each bot's last word."""

STATE_STYLES = {"ACTIVE": "bold green", "CLOSE_ONLY": "bold yellow"}
TITLE_STYLE = "bold"
FOOTER = "Ctrl-C stops in order. Elsewhere: hydra-trader status, why, halt, debug top"
SUPERVISING = ("portfolio_bot", "exit_bot")
"""Bots that enter nothing of their own; they are shown, but have no hours."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """All that a screen is made of.

    `told` is the answer of `status`. `hours` says of each bot when it may enter, `words` what it
    said last; `protected` by "bot symbol" what protects a position. `decisions` are the last ones,
    the newest last. `said` is the last line that the session itself said.
    """

    told: Mapping[str, Any]
    hours: Mapping[str, str] = {}
    words: Mapping[str, str] = {}
    protected: Mapping[str, str] = {}
    decisions: Sequence[str] = ()
    said: str = ""


def picture(look: Look, width: int, height: int) -> list[Line]:
    """The screen from top to bottom, never wider or higher than it is."""
    head = [*_heading(look.told), *_causes(look.told)]
    tail = [*_account(look.told), *_machinery(look.told), *_said(look), Line(FOOTER, "dim")]
    room = max(0, height - len(head) - len(tail))
    bots, positions = _bots(look, wide=width >= WIDE), _positions(look)
    for_rows = max(0, room - DECISIONS_MIN - 1)
    of_positions = min(len(positions), max(for_rows // 3, for_rows - len(bots)))
    middle = [
        *_cut_rows(bots, for_rows - of_positions, "bots"),
        *_cut_rows(positions, of_positions, "positions"),
    ]
    spared = SECTIONS if room >= ROOMY else 0
    left = room - len(middle)
    middle += _decisions(look.decisions, max(min(left, DECISIONS_MIN + 1), left - spared))
    lines = [*head, *_airy(middle, room), *tail]
    return [_fitting(line, width) for line in lines[:height]]


def _heading(told: Mapping[str, Any]) -> Iterator[Line]:
    if told["venue"] == "embedded":
        what = "EMBEDDED VENUE: not real money, not real prices"
    else:
        what = f"{told['venue']}, account {_word(told['account'])}"
    dry = "   DRY RUN: no order is sent" if told["dry_run"] else ""
    yield Line(f"HYDRA   {what}{dry}", "bold yellow")
    state = told["trading_state"]
    yield Line(f"trading is {state}: {PASSES[state]}", STATE_STYLES.get(state, "bold red"))
    if told["failed_closed"]:
        yield Line(f"FAILED CLOSED: {told['failed_closed']}", "bold red")
    at, session = str(told["at"]), told["session"]
    exchange = f"exchange session {session}" if session else "the exchange is closed"
    yield Line(f"market time {at[:10]} {at[11:19]}, {exchange}; times are UTC")


def _causes(told: Mapping[str, Any]) -> Iterator[Line]:
    causes = told["causes"]
    for cause in causes[:CAUSES_SHOWN]:
        style = "red" if cause["state"] == "HALTED" else "yellow"
        yield Line(f"  {cause['state']} by {cause['code']}: {cause['detail']}", style)
        yield Line(f"    ends: {cause['ends']}", style)
    if len(causes) > CAUSES_SHOWN:
        yield Line(f"  and {len(causes) - CAUSES_SHOWN} more: see `hydra-trader status`", "red")
    for line in configuration_lines(told["configuration"]):
        yield Line(line, "yellow")
    for name in told["cancels_overdue"] or ():
        yield Line(f"  not canceled yet, though it was asked for: {name}", "red")
    for note in told["notes"]:
        yield Line(f"  {note}", "yellow")


def _bots(look: Look, *, wide: bool) -> list[Line]:
    last = "  LAST WORD" if wide else ""
    lines = [
        Line(f"{'BOT':<16} {'STATUS':<11} {'BUDGET':>9}  {'MAY ENTER':<22}{last}", TITLE_STYLE)
    ]
    for bot in look.told["bots"]:
        name, budget = bot["id"], _word(bot["budget"])
        hours = look.hours.get(name, "" if name in SUPERVISING else "–")
        word = f"  {look.words.get(name, '')}" if wide else ""
        line = f"{name:<16} {bot['status']:<11} {budget:>9}  {hours:<22}{word}"
        lines.append(Line(line, style_of(bot)))
    return lines


def _positions(look: Look) -> list[Line]:
    coverage = look.told["coverage_pct"]
    covered = "not known" if coverage is None else f"{coverage} %"
    style = TITLE_STYLE if coverage is not None and coverage == "100" else "bold red"
    rows = [
        (bot["id"], symbol, quantity)
        for bot in look.told["bots"]
        for symbol, quantity in (bot["positions"] or {}).items()
    ]
    unknown = any(bot["positions"] is None for bot in look.told["bots"])
    nothing = "WHAT IS HELD IS NOT KNOWN" if unknown else "NOTHING IS HELD"
    title = "HELD, AND WHAT PROTECTS IT" if rows else nothing
    lines = [Line(f"{title}   exit coverage {covered}", style)]
    for bot, symbol, quantity in rows:
        name = f"{bot} {symbol}"
        protected = look.protected.get(name, "not known yet what protects it")
        if (look.told.get("dust") or {}).get(name) == quantity:
            protected = "dust: too little to be sold"
        row_style = "bold red" if protected.startswith("NOT") else ""
        lines.append(Line(f"{bot:<16} {quantity:>12} {symbol:<19} {protected}", row_style))
    lines += [Line(f"PROTECTION: {each}", "bold red") for each in look.told["mismatches"] or ()]
    return lines


def _decisions(decisions: Sequence[str], room: int) -> Iterator[Line]:
    if room < 1:
        return
    yield Line("LAST DECISIONS" if decisions else "NO BOT HAS WANTED TO TRADE YET", TITLE_STYLE)
    for decision in decisions[-(room - 1) :] if room > 1 else ():
        yield Line(decision, "yellow" if "DENIED" in decision or "REJECTED" in decision else "")


def _account(told: Mapping[str, Any]) -> Iterator[Line]:
    orders = told["orders"]
    names = ("open", "today") if orders["unknown"] == 0 else ("open", "unknown", "today")
    counts = ", ".join(f"{_word(orders[name])} {name}" for name in names)
    equity, exposure = _usd(told["equity"]), _usd(told["exposure"])
    at_risk = _usd(told["heat"])
    yield Line(f"equity {equity}   exposure {exposure}   at risk {at_risk}   orders {counts}")


def _machinery(told: Mapping[str, Any]) -> Iterator[Line]:
    health = told["health"]
    age, compared = told["feed_age_s"], health["compared_age_s"]
    price = "no price yet" if age is None else f"newest price {age:.0f} s old"
    passed = {True: "passed", False: "DID NOT PASS", None: "not judged"}[health["loop_passed"]]
    against = "not compared yet" if compared is None else f"venue compared {compared:.0f} s ago"
    yield Line(f"{price}   loop {_word(told['loops'])} {passed}   {against}")


def _said(look: Look) -> Iterator[Line]:
    if look.said:
        yield Line(" ".join(look.said.split()), "dim")


def _cut_rows(lines: Sequence[Line], room: int, what: str) -> list[Line]:
    """The lines, or as many as there is room for, and last how many are left out."""
    if len(lines) <= room:
        return list(lines)
    if room < 2:
        return list(lines[: max(0, room)])
    left_out = len(lines) - room + 1
    return [*lines[: room - 1], Line(f"… {left_out} more {what}: hydra-trader status", "dim")]


def _airy(lines: Sequence[Line], room: int) -> list[Line]:
    """Filled up to the room, with a blank line before each title where there is room for it."""
    has_room = len(lines) + SECTIONS <= room
    spaced = list[Line]()
    for line in lines:
        if has_room and line.style == TITLE_STYLE:
            spaced.append(Line(""))
        spaced.append(line)
    return [*spaced, *[Line("")] * (room - len(spaced))]


def _fitting(line: Line, width: int) -> Line:
    content = clean(line.text).rstrip()
    return Line(content if len(content) <= width else f"{content[: width - 1]}…", line.style)


def _usd(amount: object) -> str:
    return "–" if amount is None else f"{str(amount).partition('.')[0]} USD"


def _word(value: object) -> str:
    return "–" if value is None else str(value)
