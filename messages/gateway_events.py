"""What the gateway writes down: a part of the journal's vocabulary."""

from messages.event_kinds import GATEWAY, LISTENER, EventKind

_NAME = "the order's"
_REASON = "why, in words"

GATEWAY_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "cancel_requested",
        GATEWAY,
        "The venue was asked to take the order out; that says nothing of whether it did.",
        {"client_order_id": _NAME, "reason": _REASON},
        order_at=("client_order_id",),
    ),
    EventKind(
        "cancel_withheld",
        GATEWAY,
        "The gate held a cancel back; whoever asked for it will ask again.",
        {"client_order_id": _NAME, "reason": _REASON},
        order_at=("client_order_id",),
    ),
    EventKind(
        "cancel_pending",
        GATEWAY,
        "An order works on, half a minute after its cancel was asked for; its symbol is not entered"
        " and the venue is read again and again, until it is over. Told once.",
        {"client_order_id": _NAME, "symbol": "its symbol"},
        order_at=("client_order_id",),
    ),
    EventKind(
        "look_failed",
        GATEWAY,
        "An order's outcome is unknown, and the venue could not be asked about it.",
        {"client_order_id": _NAME, "reason": _REASON},
        order_at=("client_order_id",),
    ),
    EventKind(
        "order_given_up",
        GATEWAY,
        "An order's outcome was unknown, and no look found it: it counts as absent.",
        {"client_order_id": _NAME, "reason": "how often, and since when, it was looked for"},
        order_at=("client_order_id",),
    ),
    EventKind(
        "stream_connected",
        LISTENER,
        "A stream of the venue is connected. What was missed before is compared, or fetched.",
        {"stream": "its name", "connection": "which one it is since the start, from 1"},
    ),
    EventKind(
        "stream_lost",
        LISTENER,
        "That stream tells nothing any more. Until it is back and caught up no entry is sent.",
        {"stream": "its name", "reason": _REASON},
    ),
    EventKind(
        "stream_gap",
        LISTENER,
        "Something on that stream could not be understood whole; of prices one line a second.",
        {"stream": "its name", "reason": _REASON, "raw": "what was told, cut to a length"},
    ),
    EventKind(
        "watermark_refused",
        GATEWAY,
        "What is on record of how far the venue was read is no time, or one of later than now; the"
        " whole history is read.",
        {"found": "what is on record"},
    ),
    EventKind(
        "reconciled",
        GATEWAY,
        "Record and venue were compared. A periodic comparison that finds nothing is not told.",
        {
            "reasons": "why it was made",
            "is_clean": "whether both say the same",
            "tries": "how often the venue was read; what differs is read again",
            "failure": "why the venue could not be read; empty if it could",
            "differences": "each in one line",
            "late": "what lists that are late may explain, each in one line; it is looked at again",
            "taken_up": "how many reports had not reached us, and are booked now",
        },
    ),
)
