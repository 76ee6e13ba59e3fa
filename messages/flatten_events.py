"""What the journal says of an operator's flatten."""

from messages.event_kinds import BY, FLATTENER, EventKind

FLATTEN_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "flatten_asked",
        FLATTENER,
        "An operator wants everything closed.",
        {"reason": "the operator's", "by": BY},
    ),
    EventKind(
        "flatten_waits",
        FLATTENER,
        "All that is left is held in closed markets; it goes on when one of them opens.",
        {"detail": "what is held there, and what protects it"},
    ),
    EventKind(
        "flatten_withdrawn",
        FLATTENER,
        "An operator does not want it any more.",
        {"reason": "the operator's", "by": BY},
    ),
    EventKind(
        "flatten_ended",
        FLATTENER,
        "It is done, or given up; its permits are taken back.",
        {"phase": "how far it came", "detail": "what was found at the end"},
        optional={
            "on_record": "if it is done: what bots hold on record all the same (bot, symbol, "
            "quantity)",
            "reason": "why it was given up, if it was",
        },
    ),
)
