"""What is written down of splits, mergers and the like: a part of the journal's vocabulary."""

from messages.event_kinds import ACTIONS, EventKind

ACTION_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "corporate_actions_known",
        ACTIONS,
        "What is known of splits, mergers and the like has changed.",
        {
            "known": "the shares of which all of them are known",
            "unknown": "those of which they are not; nothing is entered in them",
            "near": "those of the next weeks: kind, terms, shares and dates",
        },
    ),
    EventKind(
        "corporate_actions_unread",
        ACTIONS,
        "Splits, mergers and the like could not be read. It is tried again every minute; what was"
        " read before counts for a day.",
        {"reason": "why, in words"},
    ),
    EventKind(
        "bot_started_anew",
        ACTIONS,
        "A share has become another thing: a bot that trades it begins anew, with bars of since.",
        {"bot": "which one", "reason": "because of what"},
    ),
)
