"""The gate's own bundle: `report.json` for programs, `report.md` for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from hydra.ops.artefacts.folder import replace
from hydra.research.alignment import Alignment, Pair, Residual
from hydra.research.gate import GateReport, Recording, Trades
from hydra.store.journal_line import timestamp
from hydra.trading.durations import SECOND

REPORT, PAGE = "report.json", "report.md"
PAIRS_SHOWN = 200


def write_report(folder: Path, report: GateReport) -> None:
    """Both files, each whole or not at all. Raises OSError."""
    replace(folder / REPORT, as_json(report))
    replace(folder / PAGE, page_of(report).encode())


def as_json(report: GateReport) -> bytes:
    """The same finding gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(report, order="sorted"), indent=2) + b"\n"


def page_of(report: GateReport) -> str:
    """The report as Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: GateReport) -> Iterator[str]:
    yield f"# Replay gate: {report.status}"
    yield ""
    yield (
        f"Session {report.session} on venue {report.venue}, from {_time(report.began_at)} to"
        f" {_time(report.ended_at)} (market time, UTC); recorded by Hydra"
        f" {report.versions.session}, checked by {report.versions.checked_by}, settings"
        f" {report.versions.configuration}."
    )
    yield ""
    yield "## Reasons to block"
    yield ""
    if report.reasons:
        yield from (f"- {reason}" for reason in report.reasons)
    else:
        yield "None."
    yield ""
    yield "## The recording, message by message"
    yield ""
    yield from _recording(report.recording)
    yield ""
    yield "## The trades, against a canonical replay of the same bars"
    yield ""
    yield from _trades(report.trades)


def _recording(found: Recording) -> Iterator[str]:
    if found.fault:
        yield f"Not replayed: {found.fault}"
        return
    yield f"{found.messages:,} messages replayed."
    yield ""
    yield f"- state recorded: {found.recorded_hash or 'none'}"
    yield f"- state replayed: {found.replayed_hash or 'none'}"
    if found.incomplete:
        yield f"- not whole: {found.incomplete}"
    if found.difference:
        yield ""
        yield "The first difference:"
        yield ""
        yield from (f"    {line}" for line in found.difference.splitlines())


def _trades(found: Trades) -> Iterator[str]:
    if found.alignment is None:
        yield f"Not compared: {found.fault}"
        return
    told = found.alignment
    yield f"{found.bars:,} bars: {found.origin}."
    if found.of_options:
        yield f"Left out: {found.of_options:,} trades of options, which virtual time does not have."
    if found.of_signals:
        yield f"Left out: {found.of_signals:,} trades on signals from outside, which no bar says."
    yield ""
    yield (
        f"Closed from {_time(told.start)} to {_time(told.end)}: {told.live_trades} trades of the"
        f" session; {len(told.pairs)} on both sides, {len(told.differing)} of them differing;"
        f" {told.residuals} on one side alone."
    )
    yield from _residuals("Only in the session", "in the replay", told.live_only)
    yield from _residuals("Only in the replay", "in the session", told.replayed_only)
    yield from _pairs(told)


def _residuals(title: str, other_side: str, residuals: tuple[Residual, ...]) -> Iterator[str]:
    if not residuals:
        return
    yield ""
    yield f"### {title}"
    yield ""
    for each in residuals:
        yield f"- {each.trade.told}"
        if not each.other_side:
            yield f"    - {other_side} that bot decided nothing there"
        yield from (f"    - {other_side}: {line}" for line in each.other_side)


def _pairs(told: Alignment) -> Iterator[str]:
    shown = sorted(told.pairs, key=lambda pair: not pair.differs)[:PAIRS_SHOWN]
    if not shown:
        return
    yield ""
    yield "### On both sides"
    yield ""
    yield "| bot | symbol | quantity | opened | closed | entry | exit | replay opened | closed |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for pair in shown:
        yield _pair(pair)
    if len(shown) < len(told.pairs):
        yield ""
        yield f"{len(told.pairs) - len(shown)} more are in report.json."
    for pair in shown:
        if pair.differs:
            yield ""
            yield f"- {pair.live.told}: {'; '.join(pair.differs)}"


def _pair(pair: Pair) -> str:
    live, other = pair.live, pair.replayed
    cells = (
        live.bot,
        live.symbol,
        _both(live.quantity, other.quantity),
        _time(live.opened_at),
        _time(live.closed_at),
        _both(live.entry_price, other.entry_price),
        _both(live.exit_price, other.exit_price),
        _apart(other.opened_at - live.opened_at),
        _apart(other.closed_at - live.closed_at),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _both(live: object, replayed: object) -> str:
    return str(live) if live == replayed else f"{live} / {replayed}"


def _apart(ns: int) -> str:
    return "same time" if ns == 0 else f"{ns / SECOND:+.3g} s"


def _time(at: int) -> str:
    return timestamp(at)[:19]
