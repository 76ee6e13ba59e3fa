"""Every kind of line there is in the journal: who says it, when, and what its fields mean.

What reads the journal goes by this table, so a line that is not in it says nothing to anybody.
A name without a dot is the engine's and stands here. A name with a dot (`mybot.crossed`) is free:
whoever writes a bot may log what it likes under it.

Besides its fields each line has `ts` (the market's time), `seq`, `event`, `source` and `crc`, and
may repeat the newest `ledger_seq` and `ledger_chain`. `docs/events.md` is this table as a page;
`make docs` writes it.
"""

from collections.abc import Mapping

from messages.action_events import ACTION_EVENTS
from messages.configuration_events import CONFIGURATION_EVENTS
from messages.event_kinds import (
    ANYONE,
    BOT,
    BY,
    CONTROL,
    DEBUG,
    GUARDIAN,
    JOURNAL,
    KERNEL,
    KILL_WATCH,
    MAIN,
    MONITOR,
    PERSISTER,
    RECORD,
    SERVICE,
    SOCKETS,
    SUPERVISOR,
    WISHER,
    EventKind,
)
from messages.execution_events import EXECUTION_EVENTS
from messages.exit_events import EXIT_EVENTS
from messages.flatten_events import FLATTEN_EVENTS
from messages.gateway_events import GATEWAY_EVENTS
from messages.price_events import PRICE_EVENTS
from messages.record_events import RECORD_EVENTS
from messages.signal_events import SIGNAL_EVENTS

_DECISION = "bot, symbol, session (its date), signal (number in the session) and role"
_INTENT = "what was wanted, as in order_intended"
_SITUATION = (
    "all that the checks could know: trading state and causes, the order, its limits, the market, "
    "positions and working orders at their worst, budgets left, rates, equity; who asks the checks "
    "about it again gets this answer"
)
_NAME = "the order's"
_CONFIGURATION = "the digest of the settings by which it was judged"
_EPOCH = "the order gate's epoch: approvals of an older one never pass again"
_INCARNATION = "which life of the actor at this path, counted from 1"
_REASON = "why, in words"
_PATH = "the actor's address"
_KEPT_FROM = "the number of the oldest line that must still be there"
_LEDGER_SEQ = "the number of the ledger's last durable event"
_LEDGER_CHAIN = "64 hex digits that name that event and everything before it"

EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "order_intended",
        WISHER,
        "Somebody would like to trade; nothing has been checked yet.",
        {
            "intent": f"what is wanted: decision ({_DECISION}), side, quantity (shares), reason, "
            "decided_at (UTC ns), reference_price (USD or null), order_type, time_in_force, "
            "limit_price, stop_price and protective_stop (USD or null; where an entry would be "
            "given up), replaces (an order's name or null)"
        },
        order_at=("intent.decision",),
    ),
    EventKind(
        "nothing_decided",
        BOT,
        "A bot wants nothing, and why; told when the reason changes.",
        {"symbol": "what it trades", "reason": _REASON},
    ),
    EventKind(
        "chain_searched",
        BOT,
        "What the options bot found in a chain that it read because of a signal.",
        {
            "underlying": "what the contracts are on",
            "right": "call or put",
            "chosen": "the contract, or null: none would do",
            "eligible": "how many would",
            "rejected": "how many would not, by the rule that said so first",
        },
    ),
    EventKind(
        "protective_order_lost",
        BOT,
        "A stop order that rested at the venue for a position is over, and nobody of ours wanted"
        " that; or none came to rest, for it was denied. The engine-side guard holds alone, so that"
        " the position is unprotected while halted; another one is tried at the next look, and"
        " after three in one position only every quarter of an hour.",
        {
            "decision": _DECISION,
            "report": "how it ended: the name of the report, or OrderDenied",
            "failures": "how many ended so while this position has been held",
        },
    ),
    EventKind(
        "cancel_refused",
        GUARDIAN,
        "A bot would like a protective order to be taken out, and no exit could take its place now:"
        " it rests on. The bot may ask again.",
        {
            "client_order_id": _NAME,
            "reason": "why the bot would like it",
            "state": "the trading state for that bot and symbol",
        },
        order_at=("client_order_id",),
    ),
    EventKind(
        "order_approved",
        GUARDIAN,
        "Every check let the intent pass.",
        {
            "client_order_id": "the order's name for ever, made from the decision",
            "intent": _INTENT,
            "epoch": _EPOCH,
            "configuration": _CONFIGURATION,
            "situation": _SITUATION,
        },
        order_at=("client_order_id", "intent.decision"),
    ),
    EventKind(
        "order_denied",
        GUARDIAN,
        "A check refused the intent: it never becomes an order.",
        {
            "intent": _INTENT,
            "check": "the check that said no, named for what must be true",
            "reason": "what it found, and what is allowed",
            "configuration": _CONFIGURATION,
            "situation": _SITUATION,
        },
        order_at=("intent.decision",),
    ),
    EventKind(
        "intent_repeated",
        GUARDIAN,
        "A bot wants what it was approved for before, as after a crash: nothing is sent again, and "
        "the bot is to read what became of it.",
        {"client_order_id": "the order that there is", "decision": _DECISION},
        order_at=("client_order_id", "decision"),
    ),
    EventKind(
        "cancel_overdue",
        GUARDIAN,
        "Trading is not open, and an entry works on though its cancel was asked for; told once.",
        {"client_order_id": _NAME, "requests": "how many times it was asked for"},
        order_at=("client_order_id",),
    ),
    EventKind(
        "budgets_granted",
        GUARDIAN,
        "What was proposed that bots may lose in the session was verified: it holds from here on.",
        {
            "session": "its date",
            "grants": "what each bot may lose (USD), by bot",
            "refused": "why a bot got nothing, by bot",
            "proof": "limit (what may be lost in the session), granted (to all bots), beyond (what "
            "is lost and at risk beyond the grants): USD, as the portfolio bot proposed it",
        },
    ),
    EventKind(
        "budgets_refused",
        GUARDIAN,
        "What was proposed cannot be granted.",
        {"session": "its date", "reason": "what was found, and what is wanted"},
    ),
    EventKind(
        "budgets_overdue",
        GUARDIAN,
        "Nobody has proposed budgets in time: nothing is entered without one.",
        {
            "session": "its date",
            "fallback": "what each bot may lose (USD) all the same, by bot, if the settings have "
            "it so",
        },
    ),
    EventKind(
        "trading_state",
        GUARDIAN,
        "Which orders may pass from now on, as the guardian knows it.",
        {
            "state": "ACTIVE, CLOSE_ONLY or HALTED",
            "causes": "the codes of everything that stands, also against one bot or symbol alone",
        },
    ),
    EventKind(
        "halt_latched",
        GUARDIAN,
        "Something stands against trading from here on: against all orders, in which case the gate "
        "had been shut before this line was written, or against those of one bot or symbol.",
        {
            "cause": "code, cause_class (who clears it), state, since (UTC ns), detail, bot and "
            "symbol (null: of all)",
            "epoch": _EPOCH,
        },
    ),
    EventKind(
        "halt_recorded",
        GUARDIAN,
        "It is in the ledger: a restart finds it.",
        {"code": "the cause's"},
    ),
    EventKind(
        "halt_cleared",
        GUARDIAN,
        "It stands no more.",
        {"code": "the cause's", "reason": "who let it go, and on what evidence"},
    ),
    EventKind(
        "resume_asked",
        GUARDIAN,
        "An operator lets causes go; each is cleared once preflight and reconciliation passed.",
        {
            "reason": "the operator's",
            "by": BY,
            "noted": "the codes of those that will be cleared",
            "refused": "why others cannot go now, one line each",
        },
    ),
    EventKind(
        "halt_acknowledged",
        GUARDIAN,
        "No send that began before the halt is on its way any more.",
        {
            "epoch": _EPOCH,
            "abandoned": "the client_order_ids whose sends were given up on: outcome unknown",
        },
    ),
    EventKind(
        "preflight_passed",
        GUARDIAN,
        "The gate was opened as far as the causes that stay allow.",
        {"evidence": "what each component said of itself", "epoch": _EPOCH},
    ),
    EventKind(
        "preflight_failed",
        GUARDIAN,
        "A component is not well: an open gate is shut.",
        {"failures": "each component that is not well, and what it said"},
    ),
    EventKind(
        "arming_refused",
        GUARDIAN,
        "Preflight had passed, but something tripped the gate meanwhile: it stays shut.",
        {"reason": _REASON},
    ),
    EventKind(
        "bot_quarantined",
        GUARDIAN,
        "A bot is down for good: nobody manages what it holds.",
        {"path": _PATH, "reason": _REASON},
    ),
    EventKind(
        "intent_stored",
        PERSISTER,
        "Intent and attempt are durable: from here on the order may be at the venue.",
        {
            "order": "client_order_id, symbol, side, quantity (shares), order_type, "
            "time_in_force, limit_price and stop_price (USD or null)",
            "reason": "the bot's, in a word",
        },
        order_at=("order.client_order_id",),
    ),
    EventKind(
        "intent_duplicate",
        PERSISTER,
        "The decision had its order already: it is not sent again.",
        {"client_order_id": "the order that there is"},
        order_at=("client_order_id",),
    ),
    EventKind(
        "report_stored",
        PERSISTER,
        "What became of an order is durable: from here on it counts. (Told again in other words it "
        "is stored once more, and counts no more than before.)",
        {
            "report": "which report: OrderAccepted, OrderFilled, OrderWithheld and so on",
            "content": "the report: client_order_id and at (UTC ns), with what belongs to it; of "
            "an OrderFilled the fill, with quantity (shares) and price (USD)",
            "decision": _DECISION,
        },
        order_at=("decision",),
    ),
    EventKind(
        "fee_accrued",
        PERSISTER,
        "The venue is taken to keep this of the execution just told of; it is on record with it.",
        {
            "fee": "client_order_id, execution_id, bot, symbol, asset (the coin's symbol or USD), "
            "amount and most (of the asset), booked (by the venue's activities), basis "
            "(accrued, observed or booked), at (UTC ns)",
        },
        order_at=("fee.client_order_id",),
    ),
    EventKind(
        "fees_observed",
        PERSISTER,
        "A comparison with the venue has shown what these fees are.",
        {
            "asset": "the coin's symbol, or USD",
            "changes": "by client_order_id and execution_id: amount (of the asset), and dust "
            "(coins that are left over and no bot's)",
        },
    ),
    EventKind(
        "fee_booked",
        PERSISTER,
        "An activity of the venue names a fee: it counts once, in the place of what was accrued.",
        {
            "charge": "activity_id, asset (the coin's symbol or USD), symbol, amount (of the "
            "asset), at (UTC ns), is_of_coins",
            "parts": "which fees it accounts for, by client_order_id and execution_id, with the "
            "amount of each; what is left over is the account's own",
        },
    ),
    EventKind(
        "exclusion_ended",
        PERSISTER,
        "A contract that was left alone by name is gone: from here on it is no difference.",
        {
            "symbol": "the contract",
            "quantity": "how much of it was left alone (signed)",
            "reason": "why, in words",
        },
    ),
    EventKind(
        "report_duplicate",
        PERSISTER,
        "The report was on record already: it does not count twice.",
        {"report": "which report", "client_order_id": "the order it speaks of"},
        order_at=("client_order_id",),
    ),
    EventKind(
        "report_impossible",
        PERSISTER,
        "A report contradicts what is on record: it is not booked, and trading is halted.",
        {
            "report": "which report",
            "content": "the report, whole",
            "client_order_id": "the order it speaks of",
            "reason": "what contradicts it",
        },
        order_at=("client_order_id",),
    ),
    EventKind(
        "ledger_committed",
        PERSISTER,
        "The ledger is durable up to here; said after it is.",
        {
            "ledger_seq": _LEDGER_SEQ,
            "ledger_chain": _LEDGER_CHAIN,
            "records": "how many intents, reports and other notes became durable together",
        },
    ),
    *GATEWAY_EVENTS,
    *FLATTEN_EVENTS,
    *EXIT_EVENTS,
    *EXECUTION_EVENTS,
    *ACTION_EVENTS,
    *PRICE_EVENTS,
    *SIGNAL_EVENTS,
    EventKind(
        "loop_overrun",
        MONITOR,
        "A look at all components was due while the last one had not ended; it was left out.",
        {"loop": "the number of the one that had not ended"},
    ),
    EventKind(
        "service_opened",
        SERVICE,
        "A service is open.",
        {"service": "which one"},
    ),
    EventKind(
        "socket_lost",
        SOCKETS,
        "Somebody took a socket away, and it was made again, or could not be yet.",
        {"path": "of the socket", "fault": "why it is not made again; null: it is"},
    ),
    EventKind(
        "child_restarting",
        SUPERVISOR,
        "A child went down and is started again after a pause.",
        {
            "child": "its name under this supervisor",
            "reason": _REASON,
            "pause_ms": "milliseconds until then",
            "strategy": "who goes down and comes back with it",
        },
    ),
    EventKind(
        "child_quarantined",
        SUPERVISOR,
        "A child went down too often: it stays down until a person starts it.",
        {"child": "its name under this supervisor", "reason": _REASON},
    ),
    EventKind(
        "significant_child_ended",
        SUPERVISOR,
        "A child ended without which this supervisor ends too.",
        {"child": "its name under this supervisor"},
    ),
    EventKind(
        "supervisor_command",
        SUPERVISOR,
        "Somebody asked for a change to the children, and it is done.",
        {"command": "what was asked", "child": "its name under this supervisor"},
    ),
    EventKind(
        "actor_started",
        ANYONE,
        "From here on it handles messages.",
        {"incarnation": _INCARNATION, "detail": "the same in words"},
    ),
    EventKind(
        "actor_failed",
        ANYONE,
        "It raised, hung or could not start: this incarnation handles nothing more.",
        {"incarnation": _INCARNATION, "detail": "what it was doing, and the error"},
        optional={"trace": "where in the code, the innermost lines"},
    ),
    EventKind(
        "actor_stopped",
        ANYONE,
        "It was asked to stop, or did so by itself, and has.",
        {"incarnation": _INCARNATION, "detail": _REASON},
    ),
    EventKind(
        "actor_stop_overdue",
        ANYONE,
        "It did not stop in time and was left behind, fenced off from everybody.",
        {"incarnation": _INCARNATION, "detail": "the same in words"},
    ),
    EventKind(
        "actor_suspended",
        ANYONE,
        "Its user messages wait from here on; halts still reach it.",
        {"incarnation": _INCARNATION, "detail": "by whom"},
    ),
    EventKind(
        "actor_resumed",
        ANYONE,
        "Its user messages are handled again, in the order they came.",
        {"incarnation": _INCARNATION, "detail": "by whom"},
    ),
    EventKind(
        "fail_closed",
        KERNEL,
        "Nothing can be trusted any more: the gate is shut for good and the process ends.",
        {"reason": _REASON},
    ),
    EventKind(
        "config_warning",
        MAIN,
        "A setting that may not do what it seems to; the engine starts all the same.",
        {"warning": "file, line, key, and what binds instead"},
    ),
    EventKind(
        "session_started",
        MAIN,
        "A session of the embedded venue begins.",
        {
            "origin": "where its prices come from",
            "seed": "of the generated market and of everything drawn",
            "configuration": "hex digits that name the configuration",
            "bots": "the bots that trade in it",
        },
        optional={"plugins": "what other distributions brought: version and place of each"},
    ),
    EventKind(
        "engine_started",
        RECORD,
        "A process took the record over; trading is halted until preflight has passed.",
        {
            "version": "of Hydra",
            "configuration": "64 hex digits that name the settings",
            "venue": "where its orders go",
        },
    ),
    EventKind(
        "engine_stopped",
        RECORD,
        "The process let go of the record in order. Where this is missing it ended otherwise.",
        {"reason": _REASON},
    ),
    *RECORD_EVENTS,
    EventKind(
        "kill_switch",
        KILL_WATCH,
        "The kill switch shut the order gate, before this line was written.",
        {
            "code": "which of its sources: kill_switch:environment, :state_file or :named_file",
            "state": "CLOSE_ONLY or HALTED",
            "detail": "what was found and how to take it back",
        },
    ),
    EventKind(
        "journal_continued",
        JOURNAL,
        "The first line of each file but the very first.",
        {
            "previous": "the name of the file before; null if others remember it, but it is gone",
            "previous_seq": "the number of its last line",
            "previous_crc": "that line's checksum, or null",
            "kept_from": _KEPT_FROM,
        },
        optional={
            "live_file": "missing or empty, if a crash, or somebody, left no file to go on with"
        },
    ),
    EventKind(
        "journal_pruned",
        JOURNAL,
        "The oldest files are no longer needed; said before they are deleted.",
        {
            "first_seq": "the number of their first line",
            "last_seq": "the number of their last line",
            "kept_from": _KEPT_FROM,
            "files": "how many they are",
            "bytes": "how long they are together",
        },
    ),
    EventKind(
        "journal_tail_cut",
        JOURNAL,
        "The last line was torn when the engine died, and was taken away.",
        {"bytes": "how long the torn piece was"},
    ),
    EventKind(
        "debug_suspend",
        DEBUG,
        "An operator had an actor's user messages held back.",
        {"path": _PATH, "reason": "the operator's", "by": BY},
    ),
    EventKind(
        "debug_resume",
        DEBUG,
        "An operator had them handled again.",
        {"path": _PATH, "reason": "the operator's", "by": BY},
    ),
    EventKind(
        "debug_halt",
        DEBUG,
        "An operator shut the order gate.",
        {"reason": "the operator's", "by": BY},
    ),
    EventKind(
        "control_halt",
        CONTROL,
        "An operator shut the order gate, before this line was written; or, where no engine ran, "
        "had the next one start so.",
        {"reason": "the operator's", "by": BY, "state": "CLOSE_ONLY or HALTED"},
    ),
    EventKind(
        "control_resume",
        CONTROL,
        "An operator lets halts go; they are cleared once preflight and reconciliation passed.",
        {"reason": "the operator's", "by": BY, "codes": "the causes meant; none: all that stand"},
    ),
    EventKind(
        "control_flatten",
        CONTROL,
        "An operator wants everything closed.",
        {"reason": "the operator's", "by": BY, "pause": "what stays latched: close_only, halted"},
    ),
    EventKind(
        "control_flatten_withdrawn",
        CONTROL,
        "An operator wants no more closed of what a flatten has not closed yet; the pause stays.",
        {"reason": "the operator's", "by": BY},
    ),
    EventKind(
        "control_settle",
        CONTROL,
        "An operator decided about a difference with the venue; said before it is on record.",
        {
            "reason": "the operator's",
            "by": BY,
            "kind": "of the difference",
            "subject": "what it is about: an order, a symbol, cash, the account",
            "decision": "adopt, assign, exclude or adjust",
            "bot": "whose it is to be, or null",
            "price": "what one unit is taken to have cost (USD), or null",
            "amount": "of the difference: units or USD, or null",
        },
    ),
    *CONFIGURATION_EVENTS,
)
"""In the order of a line's way: the trade first, then who watches over it, then the outside."""

KINDS_BY_NAME: Mapping[str, EventKind] = {kind.name: kind for kind in EVENTS}
