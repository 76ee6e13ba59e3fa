"""A broker's part in a conversation over REST, as one text: what it answers to which request.

```
=== GET /v2/account 200
{"account_number": "PA3HYDRA0001", …}
=== GET /v2/positions 200
[]
```

Several answers to one request are given in turn. Lists that were told go on empty, as a last page
does; whatever else was not foreseen is not there.
"""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from hydra.settings.secret import Secret
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.http import Answer, Failure, HttpClient, Keys, Request, Result
from hydra.venues.alpaca.network import Network
from tests.fuzz.spoiling import RAW, spoilt_bytes, spoilt_json
from tests.fuzz.target import Spoil

HEAD = b"=== "
STATUSES = (
    200,
    200,
    200,
    201,
    202,
    204,
    207,
    301,
    400,
    401,
    403,
    404,
    408,
    409,
    422,
    425,
    429,
    500,
)
ABSENT = Answer(status=404, headers={}, body=b'{"code":40410000,"message":"not found"}')
NO_END = Shares(a_minute=1 << 30, left_by_reconcile=0, left_by_entry=0, left_by_poll=0)
CALLS_MAX = 500
"""Of one input: whoever asks more often asks for ever."""

Part = tuple[bytes, bytes]
"""The line that says to what and with which status, and the body."""


def script(*answers: tuple[str, int, Any]) -> bytes:
    """The text of these answers: method and path, status, body."""
    return b"".join(
        HEAD + f"{asked} {status}\n".encode() + json.dumps(body).encode() + b"\n"
        for asked, status, body in answers
    )


def parts_of(text: bytes) -> list[Part]:
    """Head and body of each answer; what stands before the first head is left out."""
    parts = []
    for each in (b"\n" + text).split(b"\n" + HEAD)[1:]:
        head, _, body = each.partition(b"\n")
        parts.append((head, body.removesuffix(b"\n")))
    return parts


def text_of(parts: list[Part]) -> bytes:
    """The text again."""
    return b"".join(HEAD + head + b"\n" + body + b"\n" for head, body in parts)


class Scripted(HttpClient):
    """A client whose broker goes by a script. Everything behind it is the product's."""

    def __init__(self, text: bytes) -> None:
        keys = Keys(Secret("HYDRA-a-key"), Secret("a-secret"))
        super().__init__("http://127.0.0.1:1", keys, Network(loopback_only=True))
        self.answers: dict[bytes, list[Answer]] = defaultdict(list)
        self.calls = 0
        for head, body in parts_of(text):
            asked, _, status = head.rpartition(b" ")
            if status.isdigit() and len(status) == 3:
                self.answers[asked].append(Answer(status=int(status), headers={}, body=body))
        self.given: list[tuple[bytes, Answer]] = []
        """What was answered, in that order."""

    def call(
        self,
        request: Request,
        *,
        deadline: float | None = None,
        before_sending: Callable[[], None] | None = None,
        name: str = "",
    ) -> Result:
        """The next answer that is foreseen for this."""
        if before_sending is not None:
            before_sending()
        self.calls += 1
        if self.calls > CALLS_MAX:
            return Failure(cause="asked too often", sent=True)
        path, _, _ = request.target.partition("?")
        asked = f"{request.method} {path}".encode("utf-8", "surrogatepass")
        answer = self._next(asked)
        self.given.append((asked, answer))
        return answer

    def _next(self, asked: bytes) -> Answer:
        left = self.answers.get(asked)
        if left is None:
            return ABSENT
        if left:
            answer = left.pop(0)
            if not left and asked.endswith(b"positions"):
                left.append(answer)  # read twice, and to be the same
            return answer
        return Answer(status=200, headers={}, body=b"[]")


def calls_of(client: HttpClient, now: int) -> Calls:
    """Calls without a bound on how many are made."""
    return Calls(
        client, NO_END, minutes_by=lambda: 0, market_time=lambda: now, ended=lambda _: None
    )


def spoilt_scripts(words: Mapping[str, Any] | tuple[str, ...] = ()) -> Spoil:
    """Mostly one answer's body; at times its status, or which answers there are."""
    known = tuple(words)

    def spoil(data: bytes, dice: random.Random) -> bytes:
        parts = parts_of(data)
        if not parts or dice.random() < 0.05:
            return spoilt_bytes(data, dice)
        at = dice.randrange(len(parts))
        head, body = parts[at]
        match dice.randrange(14):
            case 0:
                parts[at] = head[:-3] + str(dice.choice(STATUSES)).encode(), body
            case 1:
                parts.insert(dice.randrange(len(parts) + 1), parts[at])
            case 2:
                del parts[at]
            case 3:
                parts[at] = head, dice.choice(RAW)
            case 4:
                parts[at] = head, dice.choice(parts)[1]
            case 5:
                parts[at] = head, spoilt_bytes(body, dice)
            case _:
                parts[at] = head, spoilt_json(body, dice, known)
        return text_of(parts)

    return spoil
