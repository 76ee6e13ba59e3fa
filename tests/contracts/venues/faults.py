"""What can befall a request on its way, as the venue's admin path takes it."""

from __future__ import annotations

from typing import Any

import msgspec

LONG_S = 0.5
"""A test's deadline of a call, where its answer has to come too late."""


class Befalls(msgspec.Struct, frozen=True, kw_only=True):
    """One fault. `lands`: the request is carried out for all that; `late`: after its deadline."""

    fault: dict[str, Any]
    lands: bool
    late: bool = False


def _answered(status: int, **more: Any) -> dict[str, Any]:
    return {"type": "answer", "status": status, **more}


LIMITED = {"code": 42910000, "message": "rate limit exceeded"}
PAGE = {"text": "<html><body>Bad Gateway</body></html>", "content_type": "text/html"}

REFUSED_FOR_NOW = {
    "429": _answered(429, body=LIMITED),
    "429, come again in a second": _answered(429, body=LIMITED, headers={"Retry-After": "1"}),
    "429 with the end of the minute": _answered(
        429,
        body=LIMITED,
        headers={
            "X-Ratelimit-Limit": "200",
            "X-Ratelimit-Remaining": "0",
            "X-Ratelimit-Reset": "1767624300",
        },
    ),
    "429 without a word": _answered(429),
}
ON_EITHER_SIDE: dict[str, dict[str, Any]] = {
    **{
        str(status): _answered(status, body={"code": status * 100_000, "message": "oh"})
        for status in (500, 502, 503, 504)
    },
    "503, come again in a second": _answered(503, headers={"Retry-After": "1"}),
    "a page of HTML with 502": _answered(502, **PAGE),
    "a page of HTML with 200": _answered(200, **PAGE),
    "an empty 200": _answered(200),
    "408": _answered(408),
    "307 to itself": _answered(307, headers={"Location": "/v2/orders"}),
    "reset": {"type": "reset"},
}
TOO_LATE: dict[str, dict[str, Any]] = {"no answer": {"type": "hang"}}
UNREADABLE: dict[str, dict[str, Any]] = {
    "a status that nobody knows": {"set": {"status": "pondered", "qty": None}},
    "no id": {"remove": ["id"]},
    "a quantity that is none": {"set": {"qty": "many"}},
}


def every_fault() -> dict[str, Befalls]:
    """All that proves nothing about a request that would have made an order, by its name."""
    found = {name: Befalls(fault=each, lands=False) for name, each in REFUSED_FOR_NOW.items()}
    for lands in (True, False):
        side = "landed" if lands else "not landed"
        for name, each in ON_EITHER_SIDE.items():
            found[f"{name}, {side}"] = Befalls(fault=each | {"landed": lands}, lands=lands)
        for name, each in TOO_LATE.items():
            found[f"{name}, {side}"] = Befalls(
                fault=each | {"landed": lands}, lands=lands, late=True
            )
    found["an answer a byte at a time"] = Befalls(
        fault={"type": "trickle", "seconds": LONG_S / 10}, lands=True, late=True
    )
    for name, alteration in UNREADABLE.items():
        found[name] = Befalls(fault={"type": "alter", "alteration": alteration}, lands=True)
    return found
