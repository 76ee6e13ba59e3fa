"""The replay gate: does a session come out the same when it is replayed?

Two questions, of which neither trusts the other's answer:

- the *recording* of the session, message by message: does it end in the same state (K8)?
- the *trades* that the session's bundle names: does a canonical replay of the same bars, which
  knows nothing of the recording's order, give the same ones?

Whatever is not proven is a reason to block: a session that nobody closed, a recording that is not
there, too few trades to say anything. Green is only what has no reason against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from hydra import __version__
from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import story
from hydra.ops.artefacts.opening import Opening, opening_in
from hydra.ops.artefacts.provenance import Provenance
from hydra.ops.artefacts.reading import NoBundle, provenance_in, report_in
from hydra.ops.artefacts.rows import ORDERS, TRADES, rows_in
from hydra.plugins import PluginBroken
from hydra.research.alignment import Alignment, Side, Tolerance, aligned
from hydra.research.blocker import GREEN, RED, Versions
from hydra.research.recorded import NotRecorded, SessionReplay, replay_session
from hydra.research.replay_data import ReplayData
from hydra.research.replay_run import ReplayPlan, run_replay
from hydra.research.replaying import LookAhead, ReplayFailed
from hydra.runtime.contents import NotReadable
from hydra.runtime.recording import RecordingDamaged
from hydra.settings import Settings
from hydra.trading.durations import MINUTE
from hydra.trading.option_symbols import parsed
from hydra.venues.simulated.terms import VenueTerms

FORMAT = 1
REPLAY = "replay"
"""The folder in the gate's bundle that has the canonical replay."""
LABEL = "gate"
_READ = (TRADES, ORDERS, files.STORY)
"""The files of a session's bundle by which it is judged."""


class NotReplayable(Exception):
    """What the session ran with is not to be had: its settings, or its bars. One line."""


class GateTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared, and how strictly.

    Told are trades that were closed in the `window_minutes` that end `lag_minutes` before the
    session's end: what was closed later may not be whole on both sides. `strict_no_residuals`: a
    trade that one side alone has is a reason to block, and not only told.
    """

    window_minutes: int = 240
    lag_minutes: int = 2
    min_live_trades: int = 1
    strict_no_residuals: bool = True
    time_tolerance_bars: int = 2
    price_tolerance_bps: Decimal = Decimal(25)


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """How the message-by-message replay ended. `fault`: why there is none; "": there is one."""

    messages: int = 0
    recorded_hash: str | None = None
    replayed_hash: str | None = None
    difference: str = ""
    incomplete: str = ""
    fault: str = ""


class Trades(msgspec.Struct, frozen=True, kw_only=True):
    """How the trades compare. `fault`: why they were not compared; "": they were."""

    origin: str = ""
    data: dict[str, str] = {}
    bars: int = 0
    of_options: int = 0
    """Rows of the session that were left out: virtual time trades no options."""
    of_signals: int = 0
    """The same of the signal bot: what an outside strategy wrote stands in no bars."""
    alignment: Alignment | None = None
    fault: str = ""


class GateReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate found. Times are market time (UTC ns)."""

    format: int = FORMAT
    status: str
    reasons: tuple[str, ...]
    session: str
    venue: str
    began_at: int
    ended_at: int
    versions: Versions
    terms: GateTerms
    recording: Recording
    trades: Trades


class SessionBundle(msgspec.Struct, frozen=True, kw_only=True):
    """A session's bundle, as far as the gate asks. `faults`: why it says little, one line each."""

    folder: Path
    provenance: Provenance
    opening: Opening
    faults: tuple[str, ...]

    @property
    def ended_at(self) -> int:
        """When it ended (market ns); of one that has not, when it began."""
        ended_at = self.provenance.ended_at
        return self.provenance.began_at if ended_at is None else ended_at


def bundle_in(folder: Path) -> SessionBundle:
    """Read it. Raises NoBundle."""
    provenance = provenance_in(folder)
    path = folder / files.STORY
    try:
        opening = opening_in(story.lines_in(path) if path.exists() else [])
    except msgspec.ValidationError as error:
        raise NoBundle(f"{path}: its first line is none of ours: {error}") from error
    faults = tuple(_faults(folder, provenance, opening))
    return SessionBundle(folder=folder, provenance=provenance, opening=opening, faults=faults)


def checked(
    session: SessionBundle,
    terms: GateTerms,
    *,
    settings: Callable[[], Settings],
    data: Callable[[], ReplayData],
    folder: Path,
    replays: Callable[[Path], SessionReplay] = replay_session,
    is_stopping: Callable[[], bool] = lambda: False,
) -> GateReport:
    """Ask both questions. The canonical replay leaves its files in `folder`, and ends where
    `is_stopping`: then what is reported is of a part.

    `settings` and `data` give what the session ran with, or raise `NotReplayable`, which is told as
    the reason why the trades could not be compared.
    """
    recording = _recording(session.folder, replays)
    try:
        trades = _trades(session, terms, settings(), data(), folder, is_stopping)
    except (LookAhead, NotReplayable, PluginBroken, ReplayFailed) as error:
        trades = Trades(fault=" ".join(str(error).split()))
    reasons = (*session.faults, *_against(recording), *_against_trades(trades, terms))
    run = session.provenance.run
    return GateReport(
        status=RED if reasons else GREEN,
        reasons=reasons,
        session=session.provenance.session,
        venue=run.venue,
        began_at=session.provenance.began_at,
        ended_at=session.ended_at,
        versions=Versions(
            session=run.version, checked_by=__version__, configuration=run.configuration
        ),
        terms=terms,
        recording=recording,
        trades=trades,
    )


def _faults(folder: Path, provenance: Provenance, opening: Opening) -> Iterator[str]:
    """Why a session proves nothing, or nothing can be compared with it."""
    if not provenance.is_closed:
        yield "the session has not ended in order: it runs, or was killed and not closed since"
    elif provenance.exit_code != 0:
        yield f"the session did not end in order: {provenance.how_it_ended or 'nobody knows how'}"
    there = files.digests(folder, _READ)
    for name in _READ:
        if provenance.is_closed and there.get(name) != provenance.files.get(name):
            yield f"{name} is not what the session was closed with: somebody has changed it since"
    told = report_in(folder).ledger
    if told.agrees is not True:
        found = told.found[0] if told.found else "nobody has compared them"
        yield f"the session's bundle does not agree with its ledger: {found}"
    if opening.ledger_seq == 0:
        yield "the session's story has no beginning, so nobody knows what it began with"
    if opening.held or opening.orders:
        yield (
            f"the session began with {len(opening.held)} positions and {len(opening.orders)} open"
            " orders; the replay begins flat: take a session that did"
        )


def _recording(folder: Path, replays: Callable[[Path], SessionReplay]) -> Recording:
    try:
        done = replays(folder)
    except (NotRecorded, NotReadable, RecordingDamaged) as error:
        return Recording(fault=" ".join(str(error).split()))
    return Recording(
        messages=done.messages,
        recorded_hash=done.recorded_hash,
        replayed_hash=done.replayed_hash,
        difference="" if done.difference is None else str(done.difference),
        incomplete=done.incomplete,
    )


def _trades(
    session: SessionBundle,
    terms: GateTerms,
    settings: Settings,
    data: ReplayData,
    folder: Path,
    is_stopping: Callable[[], bool],
) -> Trades:
    """Replay the bars, and hold the two bundles' tables against one another."""
    cash = session.opening.cash
    run_replay(
        ReplayPlan(
            settings=settings,
            data=data,
            terms=VenueTerms() if cash is None else VenueTerms(starting_cash=cash),
            seed=session.provenance.run.seed or 0,
            label=LABEL,
            folder=folder,
            with_sheet=False,
        ),
        is_stopping=is_stopping,
    )
    tolerance = Tolerance(
        time=terms.time_tolerance_bars * data.market.bar_interval,
        price_bps=terms.price_tolerance_bps,
    )
    end = session.ended_at - terms.lag_minutes * MINUTE
    start = end - terms.window_minutes * MINUTE
    try:
        told, bridge = _side(session.folder), settings.signalbot
        live = _without(told, bridge.bot_id) if bridge.enabled else told
        found = aligned(live, _side(folder), tolerance, start, end)
    except (ArithmeticError, KeyError, ValueError) as error:
        return Trades(fault=f"the bundle's tables are none of ours: {error!r}")
    return Trades(
        origin=data.market.origin,
        data=data.digests,
        bars=len(data.market.bars),
        of_options=len(rows_in(session.folder / TRADES)) - len(told.trades),
        of_signals=len(told.trades) - len(live.trades),
        alignment=found,
    )


def _side(folder: Path) -> Side:
    """Of shares and coins: chains of options come over the wire alone."""
    trades, orders = rows_in(folder / TRADES), rows_in(folder / ORDERS)
    return Side(
        trades=[row for row in trades if parsed(row["symbol"]) is None],
        orders=[row for row in orders if parsed(row["symbol"]) is None],
    )


def _without(side: Side, bot: str) -> Side:
    return Side(
        trades=[row for row in side.trades if row["bot"] != bot],
        orders=[row for row in side.orders if row["bot"] != bot],
    )


def _against(recording: Recording) -> Iterator[str]:
    if recording.fault:
        yield f"the recording could not be replayed: {recording.fault}"
        return
    if recording.incomplete:
        yield f"the recording is not whole: {recording.incomplete}"
    if recording.difference:
        first = recording.difference.partition("\n")[0].rstrip(":")
        yield f"the recording's replay differs: {first}"
    elif not recording.incomplete and (
        recording.recorded_hash is None or recording.recorded_hash != recording.replayed_hash
    ):
        yield (
            f"the recording's replay ends in another state: {recording.recorded_hash} recorded,"
            f" {recording.replayed_hash} replayed"
        )


def _against_trades(trades: Trades, terms: GateTerms) -> Iterator[str]:
    found = trades.alignment
    if found is None:
        yield f"the trades could not be compared: {trades.fault}"
        return
    if found.live_trades < terms.min_live_trades:
        yield (
            f"found {found.live_trades} trades of the session in the window, wanted at least"
            f" {terms.min_live_trades}: too few to say anything"
        )
    for pair in found.differing:
        yield f"a trade differs: {'; '.join(pair.differs)}: {pair.live.told}"
    if terms.strict_no_residuals:
        for each in found.live_only:
            yield f"the replay does not have this trade of the session: {each.trade.told}"
        for each in found.replayed_only:
            yield f"the session does not have this trade of the replay: {each.trade.told}"
