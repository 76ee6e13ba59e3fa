"""Every kind of cause there is: its code, who clears it, what it still lets pass, and the way out.

Whoever finds a reason to stop makes its cause here, so that class and state are decided in one
place. Only the kill switch makes its own (`kill_switch`): there an operator decides the state.
"""

from enum import Enum

import msgspec

from hydra.trading.durations import MINUTE
from hydra.trading.kill_switch import CODE_PREFIX
from hydra.trading.trading_state import Cause, CauseClass, TradingState


class Scope(Enum):
    """Whose orders a cause is held against."""

    ALL = "all"
    BOT = "bot"
    SYMBOL = "symbol"


class CauseKind(msgspec.Struct, frozen=True, kw_only=True):
    """What causes of one kind have in common."""

    code: str
    """The whole code; or its beginning up to a colon, behind which the subject follows."""
    cause_class: CauseClass
    state: TradingState
    """At least. A cause of this kind may be worse, never better."""
    remedy: str
    """What an operator is to do about it."""
    scope: Scope = Scope.ALL
    """With `BOT` or `SYMBOL` the subject is the bot or symbol that alone it is held against."""
    is_exit_bots: bool = False
    """One of ExitBot's kill conditions, so that its cool-off counts if it is the longer one."""
    lasts_until_session: bool = False
    """Not over before the next session of the exchange begins."""
    lasts_ns: int | None = None
    """How long a cooldown takes (market time)."""
    needs_person_on_live: bool = False
    """On live a pass alone does not do."""
    ends_with: str | None = None
    """What it ends with. No pass and no word takes it away before."""
    goes_with_condition: bool = False
    """It needs no cool-off and no person: the first pass that finds its condition gone ends it."""

    def cause(
        self,
        *,
        since: int,
        detail: str,
        subject: str = "",
        at_least: TradingState = TradingState.ACTIVE,
    ) -> Cause:
        """One such cause. `since` is market time; `at_least` can make its state worse.

        Raises ValueError if a subject is missing, or is given where there is none.
        """
        if self.has_subject is not bool(subject):
            wanted = "a subject" if self.has_subject else "none"
            raise ValueError(f"cause {self.code}: found the subject {subject!r}, wanted {wanted}")
        return Cause(
            code=f"{self.code}{subject}",
            cause_class=self.cause_class,
            state=max(self.state, at_least, key=lambda state: state.severity),
            since=since,
            detail=detail,
            bot=subject if self.scope is Scope.BOT else None,
            symbol=subject if self.scope is Scope.SYMBOL else None,
        )

    @property
    def has_subject(self) -> bool:
        """Whether its code goes on behind the colon."""
        return self.code.endswith(":")


def kind_of(code: str) -> CauseKind | None:
    """The kind that a cause of this code is of; None if no such kind is known."""
    beginning, colon, _ = code.partition(":")
    return _BY_CODE.get(beginning + colon)


def remedy_of(code: str) -> str:
    """What an operator is to do about a cause of this code, of a kind that is known or not."""
    kind = kind_of(code)
    return "look at the journal, then resume" if kind is None else kind.remedy


def _start(
    code: str, remedy: str, *, ends_with: str | None = None, needs_person_on_live: bool = False
) -> CauseKind:
    return CauseKind(
        code=code,
        cause_class=CauseClass.START,
        state=TradingState.HALTED,
        remedy=remedy,
        ends_with=ends_with,
        needs_person_on_live=needs_person_on_live,
    )


def _limit(
    code: str,
    state: TradingState,
    remedy: str,
    *,
    scope: Scope = Scope.ALL,
    is_exit_bots: bool = False,
    lasts_until_session: bool = False,
) -> CauseKind:
    return CauseKind(
        code=code,
        cause_class=CauseClass.LIMIT,
        state=state,
        remedy=remedy,
        scope=scope,
        is_exit_bots=is_exit_bots,
        lasts_until_session=lasts_until_session,
    )


def _integrity(
    code: str,
    remedy: str,
    *,
    state: TradingState = TradingState.HALTED,
    scope: Scope = Scope.ALL,
) -> CauseKind:
    return CauseKind(
        code=code, cause_class=CauseClass.INTEGRITY, state=state, remedy=remedy, scope=scope
    )


_CLOSE_ONLY, _HALTED = TradingState.CLOSE_ONLY, TradingState.HALTED
_LOOK = "look at `status` and the journal, mend what failed, then resume"
_COMPARE = "look at `reconcile`, settle each difference, then resume"

# The life of the process.
START = _start("start", "wait for preflight; `preflight` says what does not pass")
RECOVERING = _start("recovering", "wait", ends_with="the reading of the record")
STOPPING = _start("stopping", "start again when it has stopped", ends_with="the process")
UNCLEAN_END = _start(
    "unclean_end",
    "wait for preflight; on live look at orders and positions, then resume",
    needs_person_on_live=True,
)
UNCLEAN_END_WHEN_STOPPED = _integrity(
    "unclean_end_when_stopped",
    "the process before did not end in order, and trading was not open: look why, then resume",
)
RESTART_STORM = _integrity("restart_storm", "find out what ends the process, then resume")
ACTOR_FAILED = _integrity("failed:", _LOOK)
FAIL_CLOSED = _integrity("fail-closed", _LOOK)
UNMANAGED = _integrity(
    "unmanaged:",
    "the exit bot closes what it holds by its rules (`flatten` does at once), or its bot runs again"
    " once the engine was started anew; then resume",
    state=_CLOSE_ONLY,
)

BOT_DOWN = _integrity(
    "bot_down:",
    "it is one without which nobody may enter: look why it failed, start it again, then resume",
    state=_CLOSE_ONLY,
)
"""The exit bot or the portfolio bot is quarantined. Exits go on, as far as they have a bot."""

# What an operator wants.
OPERATOR_HALT = _integrity("operator-halt", "resume when its reason is gone")
OPERATOR_CLOSE_ONLY = _integrity(
    "operator-close-only", "resume when its reason is gone", state=_CLOSE_ONLY
)
FLATTEN = _integrity(
    "flatten",
    "resume once it has ended (`flatten --withdraw` ends it) and was looked into",
    state=_CLOSE_ONLY,
)
"""The pause that an emergency flatten leaves behind."""
KILL_SWITCH = _integrity(
    CODE_PREFIX, "take the kill switch back where it was set, then resume", state=_CLOSE_ONLY
)

BOT_CLOSED = CauseKind(
    code="bot_closed:",
    cause_class=CauseClass.START,
    state=_CLOSE_ONLY,
    remedy="the configuration or the strategy mode wants it so; `config diff` and `mode` say more",
    scope=Scope.BOT,
    ends_with="another configuration or strategy mode, at a restart",
)
"""Never latched: it stands exactly as long as the terms that the guardian is held to say so."""
BOT_UNCERTIFIED = CauseKind(
    code="bot_uncertified:",
    cause_class=CauseClass.START,
    state=_CLOSE_ONLY,
    remedy="run `hydra-trader certify` with the bot's kind, read what it finds, start again",
    scope=Scope.BOT,
    ends_with="a certificate, at a restart",
)
"""Another distribution brought the bot, and nothing shows that it is fit. Never latched either."""
LIVE_CLOSED = CauseKind(
    code="live_closed:",
    cause_class=CauseClass.START,
    state=_CLOSE_ONLY,
    remedy="`preflight` says what live wants before it trades; what is held is managed meanwhile",
    scope=Scope.BOT,
    ends_with="a start that has what live wants",
)
"""Never latched. Real money is at work and nothing shows that it may be: exits alone go on."""
SIGNALS_CLOSED = CauseKind(
    code="signals_closed:",
    cause_class=CauseClass.START,
    state=_CLOSE_ONLY,
    remedy="see why the signals' file cannot be followed, mend it, start again",
    scope=Scope.BOT,
    ends_with="the next start",
)
"""Never latched: the bridge looks no more, and signals of which the look is old enter nothing."""
BAD_RELOAD = CauseKind(
    code="bad_reload",
    cause_class=CauseClass.LIMIT,
    state=_CLOSE_ONLY,
    remedy="mend the configuration (`config check` says what is wrong), or `config rollback`",
    goes_with_condition=True,
)
"""What lies in the folder of the settings is not fit; what was in force still is (I79)."""
CALENDAR_PARTED = CauseKind(
    code="calendar_parted",
    cause_class=CauseClass.LIMIT,
    state=_CLOSE_ONLY,
    remedy="see when the exchange is open today; what is held is looked after by the engine's"
    " calendar alone: close it before the earlier end (`flatten`)",
    goes_with_condition=True,
)
"""The venue keeps today otherwise than the engine does, or has not told how (I43)."""

# Limits of the account (`account_day`).
DAILY_LOSS = _limit(
    "daily_loss",
    _CLOSE_ONLY,
    "wait for the next session",
    is_exit_bots=True,
    lasts_until_session=True,
)
"""HALTED once there is nothing left to close."""
DRAWDOWN = _limit("drawdown", _CLOSE_ONLY, "wait for its cool-off")
EQUITY_MISSING = _limit(
    "equity_missing",
    _CLOSE_ONLY,
    "see why neither prices nor the venue give the account's worth",
    is_exit_bots=True,
)
NAV_JUMP = _limit(
    "nav_jump", _HALTED, "compare prices and trades of that moment", is_exit_bots=True
)
"""HALTED, as it says that prices or positions are wrong, and what is sized by them is too."""
DRAWDOWN_FLAPPING = _limit(
    "drawdown_flapping", _CLOSE_ONLY, "look at the account's worth over time", is_exit_bots=True
)

# Limits of what is around the engine.
PREFLIGHT = _limit("preflight", _HALTED, "`preflight` says what does not pass")
API_FAILURES = _limit(
    "api_failures", _HALTED, "see whether the venue can be reached", is_exit_bots=True
)
TRADING_STREAM_LOST = _limit(
    "trading_stream_lost", _HALTED, "see whether the venue's stream can be reached, and the keys"
)
STALE_FEED = _limit("stale_feed", _HALTED, "see whether prices arrive", is_exit_bots=True)
STALE_SYMBOL = _limit(
    "stale_feed:",
    _CLOSE_ONLY,
    "see whether the symbol still trades",
    scope=Scope.SYMBOL,
    is_exit_bots=True,
)
SYMBOL_HALTED = CauseKind(
    code="symbol_halted:",
    cause_class=CauseClass.LIMIT,
    state=_CLOSE_ONLY,
    remedy="wait until the exchange lets it trade again and a price of it has come",
    scope=Scope.SYMBOL,
    goes_with_condition=True,
)
SYMBOL_UNREADY = CauseKind(
    code="symbol_unready:",
    cause_class=CauseClass.START,
    state=_CLOSE_ONLY,
    remedy="wait for its prices; if they do not come, see whether it still trades",
    scope=Scope.SYMBOL,
    ends_with="a price of it that can be relied on",
)
"""Never latched: it stands exactly as long as the data feed says that it is so."""
CANCEL_PENDING = CauseKind(
    code="cancel_pending:",
    cause_class=CauseClass.LIMIT,
    state=_CLOSE_ONLY,
    remedy="wait until the venue has taken the symbol's order out; if it does not, ask it why",
    scope=Scope.SYMBOL,
    goes_with_condition=True,
)
"""A cancel was asked for, and the order works on."""
UNPROTECTED = _limit(
    "unprotected:", _CLOSE_ONLY, "see to the protection of the position", is_exit_bots=True
)
"""The symbol names the position; entries stop for all of them."""

# How orders get done (`execution_quality`): anomalies, seen from beside their way.
ROUTER_DEGRADED = _limit(
    "router_degraded",
    _CLOSE_ONLY,
    "see in `status` what is bad (rejections, slippage, latency), and whether the venue is well",
    is_exit_bots=True,
)
ROUTER_IDLE = _limit(
    "router_idle",
    _CLOSE_ONLY,
    "orders are out and the venue says nothing: see whether it can be reached",
    is_exit_bots=True,
)
MONITOR_MISSING = _limit(
    "monitor_missing",
    _CLOSE_ONLY,
    "the execution monitor is silent: see in `debug tree` why, and start it again",
    is_exit_bots=True,
)

# What only a person can judge.
RECONCILIATION = _integrity("reconciliation", _COMPARE)
ACCOUNT_BLOCKED = _integrity("account_blocked", "ask the venue why, then resume")
UNKNOWN_OUTCOME = _integrity("unknown_outcome", _COMPARE)
ABSENT_ORDER_LIVES = _integrity("absent_order_lives", _COMPARE)
IMPOSSIBLE_ORDER = _integrity("impossible_order", _COMPARE)
"""Overfills are of this kind."""
ECHO_MISMATCH = _integrity("echo_mismatch", _COMPARE)
CLOCK_FAULT = _integrity(
    "clock_fault",
    "put right what set the clock, or held the process or the machine up, then resume",
)
MEMORY_SHORT = _integrity(
    "memory_short",
    "see what takes the memory, give the engine more or start it again, then resume",
)
"""The system would soon end the process, in the middle of anything."""
THROTTLE = _integrity(
    "throttle:",
    "the bot trades in circles: find out why, then resume",
    state=_CLOSE_ONLY,
    scope=Scope.BOT,
)
"""The repeated-execution throttle (I39). It is no cooldown: a person ends it."""
REJECTIONS = _integrity(
    "rejections:",
    "find out why the venue refuses the symbol's orders, then resume",
    state=_CLOSE_ONLY,
    scope=Scope.SYMBOL,
)

# A pause of one bot.
COOLDOWN = CauseKind(
    code="cooldown:",
    cause_class=CauseClass.COOLDOWN,
    state=_CLOSE_ONLY,
    remedy="wait until it is over",
    scope=Scope.BOT,
    lasts_ns=30 * MINUTE,
)
"""After a streak of losses, or of wishes that came too fast."""

# The record on the disk.
HALT_MARKER_UNREADABLE = _integrity("halt_marker_unreadable", "run `verify`, then resume")
RECORD_FAULTS = tuple(
    _integrity(code, remedy)
    for codes, remedy in (
        (
            ("ledger_replaced", "engine_lock_replaced", "halt_marker_replaced", "journal_replaced"),
            "stop, put the engine's own files back, run `verify`, start again, then resume",
        ),
        (
            ("journal_failed", "record_watch_stuck", "record_watch_died", "disk_unreadable"),
            "stop, see to the disk, run `verify`, start again, then resume",
        ),
        (("disk_hard",), "make room on the disk, then resume"),
    )
    for code in codes
)
"""Found by the watch over the record, which names them."""

KINDS: tuple[CauseKind, ...] = (
    *(START, RECOVERING, STOPPING, UNCLEAN_END, UNCLEAN_END_WHEN_STOPPED, RESTART_STORM),
    *(ACTOR_FAILED, FAIL_CLOSED, UNMANAGED, BOT_DOWN),
    *(OPERATOR_HALT, OPERATOR_CLOSE_ONLY, FLATTEN, KILL_SWITCH),
    *(BOT_CLOSED, BOT_UNCERTIFIED, LIVE_CLOSED, SIGNALS_CLOSED, BAD_RELOAD, CALENDAR_PARTED),
    *(DAILY_LOSS, DRAWDOWN, EQUITY_MISSING, NAV_JUMP, DRAWDOWN_FLAPPING),
    *(PREFLIGHT, API_FAILURES, TRADING_STREAM_LOST, STALE_FEED, STALE_SYMBOL, UNPROTECTED),
    *(SYMBOL_HALTED, SYMBOL_UNREADY, CANCEL_PENDING),
    *(ROUTER_DEGRADED, ROUTER_IDLE, MONITOR_MISSING),
    *(RECONCILIATION, ACCOUNT_BLOCKED, UNKNOWN_OUTCOME, ABSENT_ORDER_LIVES, IMPOSSIBLE_ORDER),
    *(ECHO_MISMATCH, CLOCK_FAULT, MEMORY_SHORT, THROTTLE, REJECTIONS, COOLDOWN),
    *(HALT_MARKER_UNREADABLE, *RECORD_FAULTS),
)
"""All kinds there are."""

_BY_CODE = {kind.code: kind for kind in KINDS}
