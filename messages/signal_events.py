"""What the signal bridge and its bot write down: a part of the journal's vocabulary."""

from messages.event_kinds import BOT, BRIDGE, EventKind

SIGNAL_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "signal_settled",
        BOT,
        "The signal bot did something with a signal of an outside strategy, or refused it.",
        {
            "id": "the signal's own",
            "done": "wanted, filled, complete, ended, refused, denied or repeated",
            "symbol": "what it is about",
            "reason": "why, in words; empty if there is nothing to say",
        },
    ),
    EventKind(
        "signal_line_bad",
        BRIDGE,
        "A line of the signals file is no signal; it was set aside.",
        {
            "file": "the signals file",
            "line": "its number in the file, counted from 1",
            "reason": "what was found and what was wanted",
        },
    ),
    EventKind(
        "signals_file_changed",
        BRIDGE,
        "The signals file was cut, rewritten or replaced, and is read from its beginning.",
        {"reason": "what happened to it"},
    ),
    EventKind(
        "signals_closed",
        BRIDGE,
        "The bridge lets no entry pass: its kill file, its signals file or its watch says so.",
        {"reason": "why, in words"},
    ),
    EventKind("signals_open", BRIDGE, "The bridge lets entries pass again.", {}),
)
