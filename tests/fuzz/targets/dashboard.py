"""The dashboard: nothing is told without the key, nothing done but a halt that says so (I86)."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hydra.ops.dashboard import serving
from hydra.ops.dashboard.app import BODY_MAX, HaltWanted
from hydra.ops.dashboard.serving import HEAD_MAX
from tests.fuzz.spoiling import spoilt_bytes
from tests.fuzz.target import Target, Verdict, require
from tests.ops.dashboard.served import CONTENT, KEY, Board, served

PORT = 8484
HOST = f"Host: 127.0.0.1:{PORT}"
BEARER = f"Authorization: Bearer {KEY}"
JSON = "Content-Type: application/json"
HEADERS = (
    HOST,
    BEARER,
    JSON,
    "Host: localhost:8484",
    "Host: evil.example",
    "Origin: http://127.0.0.1:8484",
    "Origin: http://evil.example",
    "Sec-Fetch-Site: cross-site",
    "Authorization: Bearer another",
    "Transfer-Encoding: chunked",
    "Content-Length: 2",
    "Content-Length: 99999999999999999999",
    "Expect: 100-continue",
    "Connection: keep-alive",
    "Upgrade: websocket",
    "X: y\r\n folded",
)


def request(line: str, *headers: str, body: str = "") -> bytes:
    """As a client sends it."""
    length = (f"Content-Length: {len(body)}",) if body else ()
    return "\r\n".join([f"{line} HTTP/1.1", *headers, *length, "", body]).encode()


SEEDS = (
    request("GET /", HOST),
    request("GET /page.js", HOST, "Sec-Fetch-Site: same-origin"),
    request("GET /api/look", HOST, BEARER),
    request("GET /api/look", HOST),
    request("GET /api/look", "Host: evil.example", BEARER),
    request("POST /api/halt", HOST, BEARER, JSON, body='{"reason":"a drill","close_only":true}'),
    request("POST /api/halt", HOST, BEARER, JSON, body="{}"),
    request("POST /api/halt", HOST, BEARER, JSON, "Transfer-Encoding: chunked")
    + b"2\r\n{}\r\n0\r\n\r\n",
)
HUGE = (
    lambda: (
        SEEDS[0][:-2] + b"".join(b"X-%d: y\r\n" % number for number in range(200_000)) + b"\r\n"
    ),
    lambda: request("POST /api/halt", HOST, BEARER, JSON, body="[" * 5_000_000),
    lambda: b"GET /" + b"x" * 5_000_000,
    lambda: b"\x00" * 5_000_000,
)


GONE_AFTER_S = 0.1
"""Of a request that does not come to its end."""
TRIES = 50
"""On a machine that stands still meanwhile any answer may be cut off."""


@contextmanager
def dashboard(folder: Path) -> Iterator[Target]:
    """What one client sends, before it is cut off; behind it comes another one."""
    with brief(), served(named_port=PORT) as board:

        def feed(data: bytes) -> Verdict:
            board.halts.clear()
            answer = _answer(board, data)
            require(not answer.startswith(b"HTTP/1.1 5"), "it failed")
            has_key = KEY.encode() in data and b"Bearer" in data
            require(has_key or CONTENT not in answer, "it told without the key")
            require(has_key or not board.halts, "it halted without the key")
            for halt in board.halts:
                require(b"/halt" in data and b"POST" in data, "nobody asked for a halt")
                require(_is_of(halt, data), f"another reason than was given: {halt.reason!r:.200}")
            require(len(board.halts) <= 1, "one client halted more than once")
            require(answer.count(b"HTTP/1.1 ") <= 2, "more than one answer")  # one may be 100
            is_answered = any(_answer(board, SEEDS[2]).endswith(CONTENT) for _ in range(TRIES))
            require(is_answered, "the next one is not answered")
            return Verdict.ACCEPTED if b" 200 " in answer[:20] else Verdict.REFUSED

        yield Target(
            name="dashboard",
            feed=feed,
            seeds=SEEDS,
            spoil=_spoil,
            huge=HUGE,
            input_bytes_max=2 * (HEAD_MAX + BODY_MAX),
        )


@contextmanager
def brief() -> Iterator[None]:
    """Nobody is waited for that long."""
    usual, serving.GONE_AFTER_S = serving.GONE_AFTER_S, GONE_AFTER_S
    try:
        yield
    finally:
        serving.GONE_AFTER_S = usual


def _is_of(halt: HaltWanted, data: bytes) -> bool:
    """What was given for a reason may have been written with escapes, or in pieces."""
    return halt.reason.encode() in data or b"\\" in data or b"chunked" in data.lower()


def _answer(board: Board, data: bytes) -> bytes:
    answer = b""
    with board.connected() as connection, suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(data)
        while part := connection.recv(65536):
            answer += part
    return answer


def _spoil(data: bytes, dice: random.Random) -> bytes:
    head, end, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    match dice.randrange(8):
        case 0:
            lines.insert(dice.randrange(1, len(lines) + 1), dice.choice(HEADERS).encode())
        case 1 if len(lines) > 1:
            lines.pop(dice.randrange(1, len(lines)))
        case 2:
            body = spoilt_bytes(body or b"{}", dice)
        case 3:
            lines[0] = dice.choice(SEEDS).split(b"\r\n")[0]
        case 4:
            return data + dice.choice(SEEDS)
        case 5:
            at = dice.randrange(len(lines))
            lines[at] = spoilt_bytes(lines[at], dice)
        case _:
            return spoilt_bytes(data, dice)
    return b"\r\n".join(lines) + end + body
