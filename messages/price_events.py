"""What the data feed writes down: a part of the journal's vocabulary."""

from messages.event_kinds import FEED, EventKind

_REASON = "why, in words"

PRICE_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "bar_dropped",
        FEED,
        "A bar that nobody must decide on.",
        {
            "symbol": "the bar's",
            "start_at": "when the bar begins (UTC ns)",
            "fault": "what is wrong with it",
        },
    ),
    EventKind(
        "quotes_dropped",
        FEED,
        "A quote that nobody must decide on; of each symbol at most one line a minute.",
        {
            "symbol": "the quote's, if it is one that is traded",
            "at": "its time at the venue (UTC ns)",
            "fault": "what is wrong with this one",
            "number": "how many there were since the line before, this one included",
        },
    ),
    EventKind(
        "trading_status",
        FEED,
        "The exchange says whether a symbol trades.",
        {
            "symbol": "which one",
            "trades": "whether it does; every word but a known resume means that it does not",
            "words": "the exchange's own",
            "at": "when, by the venue, or heard, if that could not be read (UTC ns)",
            "fault": "why this was left alone, empty if it was not",
        },
    ),
    EventKind(
        "symbol_reported",
        FEED,
        "Whether a symbol's prices can be relied on has changed; if not, none is entered in it.",
        {
            "symbol": "which one",
            "why": "halted, lost, missing, unknown, stale or frozen; none: they can be",
            "detail": _REASON,
        },
    ),
    EventKind(
        "contracts_followed",
        FEED,
        "The option contracts whose quotes are subscribed to have changed.",
        {"symbols": "all of them"},
    ),
    EventKind(
        "contracts_refused",
        FEED,
        "A bot wants more option contracts followed than it may have: the first of them are.",
        {
            "bot": "which one",
            "wanted": "how many it wants",
            "followed": "how many all bots together have followed",
            "most": "how many it may have",
        },
    ),
    EventKind(
        "bars_missing",
        FEED,
        "Bars were missed and are fetched. Until they are here, nobody sees newer ones.",
        {"symbols": "of which symbols", "reason": _REASON},
    ),
    EventKind(
        "bars_complete",
        FEED,
        "The bars that were missed are here.",
        {"symbols": "of which symbols"},
    ),
    EventKind(
        "stream_renewed",
        FEED,
        "A stream is connected and mute: it is given up, and connected anew.",
        {"stream": "its name", "reason": _REASON},
    ),
    EventKind(
        "feed_ended",
        FEED,
        "The market has nothing more to say in this session.",
        {"bars": "how many were passed on", "dropped": "how many were not"},
    ),
)
