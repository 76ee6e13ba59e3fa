"""What the broker of the benchmark answers over REST: an order, an empty account, a refusal."""

from time import time

import msgspec

from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT

MOMENT = "2026-11-23T14:31:07.411870226Z"

ORDER = {
    "id": "c2c6748d-88c5-4055-bfcc-ee1196dafb7b",
    "client_order_id": "@",
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "submitted_at": MOMENT,
    "filled_at": None,
    "expired_at": None,
    "canceled_at": None,
    "failed_at": None,
    "replaced_at": None,
    "replaced_by": None,
    "replaces": None,
    "asset_id": "067a5cce-b76a-434f-8771-67a771da3a4f",
    "symbol": "BENCH",
    "asset_class": "us_equity",
    "notional": None,
    "qty": "1",
    "filled_qty": "0",
    "filled_avg_price": None,
    "order_class": "",
    "order_type": "market",
    "type": "market",
    "side": "buy",
    "position_intent": "buy_to_open",
    "time_in_force": "day",
    "limit_price": None,
    "stop_price": None,
    "status": "new",
    "extended_hours": False,
    "legs": None,
    "trail_percent": None,
    "trail_price": None,
    "hwm": None,
    "subtag": None,
    "source": None,
    "expires_at": "2026-11-23T21:00:00Z",
}
"""Every field that the real broker answers with."""
BEFORE_NAME, AFTER_NAME = msgspec.json.encode(ORDER).split(b"@")
ACCOUNT = {
    "account_number": EMBEDDED_ACCOUNT,
    "status": "ACTIVE",
    "currency": "USD",
    "cash": "100000",
    "equity": "100000",
    "trading_blocked": False,
    "account_blocked": False,
    "trade_suspended_by_user": False,
}
READS: dict[bytes, object] = {b"/v2/account": ACCOUNT}
"""All else that can be read is an empty list."""


def to_read(path: bytes) -> bytes:
    """The whole answer to a reading of this."""
    return answer(200, msgspec.json.encode(READS.get(path, [])))


def to_order(name: bytes) -> bytes:
    """The whole answer that takes the order of this name."""
    return answer(200, BEFORE_NAME + name + AFTER_NAME)


def answer(status: int, body: bytes) -> bytes:
    """An answer with the headers that the real broker's have; here there are requests enough."""
    return (
        b"HTTP/1.1 %d %s\r\n"
        b"Content-Type: application/json; charset=UTF-8\r\nContent-Length: %d\r\n"
        b"X-Request-Id: 649c5a79da1ab9cb20742ffdada0a7bb\r\nX-Ratelimit-Limit: 1000000\r\n"
        b"X-Ratelimit-Remaining: 1000000\r\nX-Ratelimit-Reset: %d\r\n\r\n%s"
    ) % (status, b"OK" if status == 200 else b"No", len(body), int(time()) + 60, body)


REFUSAL = answer(403, b'{"code":40310000,"message":"a benchmark takes no orders"}')
