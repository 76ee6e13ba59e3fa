"""What is written down of protection and of kill conditions: a part of the journal's vocabulary."""

from messages.event_kinds import EXIT_BOT, GUARDIAN, EventKind

_BOT, _SYMBOL, _REASON = "whose position it is", "its symbol", "why, in words"

EXIT_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "coverage_changed",
        EXIT_BOT,
        "How much of what is held is protected, proven from what the venue shows.",
        {
            "is_known": "whether the account is seen; if not, nothing counts as protected",
            "pct": "percent; 100 only if all is",
            "mismatches": "what is wrong, each in one line",
            "uncovered": 'each "bot symbol" of which something is not protected',
        },
    ),
    EventKind(
        "position_taken_over",
        EXIT_BOT,
        "A position has no bot that looks after it; from here on the exit bot does.",
        {"bot": _BOT, "symbol": _SYMBOL, "reason": _REASON},
    ),
    EventKind(
        "exit_waits",
        EXIT_BOT,
        "A position is to be closed, and no order for that can be sent yet.",
        {"bot": _BOT, "symbol": _SYMBOL, "reason": _REASON},
    ),
    EventKind(
        "alarm_raised",
        GUARDIAN,
        "A kill condition is met whose switch is off: nothing halts for it. Told once.",
        {"code": "the cause that would stand", "detail": "what was found"},
    ),
    EventKind(
        "alarm_ended",
        GUARDIAN,
        "That condition is not met any more.",
        {"code": "the cause that would have stood"},
    ),
)
