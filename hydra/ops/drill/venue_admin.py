"""The admin path of the embedded venue, asked from outside: its clock, and faults on command."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from typing import Any

import msgspec

from hydra.venues.simulated.server.faults.admin import PREFIX, TOKEN_HEADER
from hydra.venues.simulated.server.faults.clock_orders import RunAt, Step
from hydra.venues.simulated.server.faults.request_faults import RequestRule
from hydra.venues.simulated.server.faults.stream_orders import Mute

WITHIN_S = 10.0


class VenueSilent(Exception):
    """The venue does not answer, or refuses. The message says what it was asked."""


class VenueAdmin:
    """Of the venue on this port of this machine, which was started with this token.

    Everything here raises `VenueSilent`.
    """

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token

    def clock(self) -> int:
        """Market time, UTC ns."""
        now: int = self._asked("GET", "/clock")["now"]
        return now

    def run_at(self, speed: float) -> None:
        """Let market time run so many times as fast as the machine's."""
        self._asked("POST", "/clock", RunAt(speed=speed))

    def step(self, seconds: float) -> None:
        """Let so much market time pass at once."""
        self._asked("POST", "/clock", Step(seconds=seconds))

    def arm(self, rule: RequestRule) -> int:
        """From now on the rule strikes; gives its number."""
        number: int = self._asked("POST", "/rules/requests", rule)["rule"]
        return number

    def strikes_left(self, number: int) -> int:
        """How many more requests the rule of this number will strike."""
        (armed,) = (each for each in self._asked("GET", "/rules") if each["rule"] == number)
        left: int = armed["strikes_left"]
        return left

    def mute(self, *paths: str) -> int:
        """The open streams of these paths say nothing but pings; gives how many there are."""
        orders = (Mute(path=path) for path in paths)
        return sum(len(self._asked("POST", "/streams", order)["streams"]) for order in orders)

    def _asked(self, method: str, path: str, body: object = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=WITHIN_S)
        try:
            content = None if body is None else msgspec.json.encode(body)
            connection.request(method, PREFIX + path, content, {TOKEN_HEADER: self._token})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, HTTPException) as error:
            raise VenueSilent(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise VenueSilent(f"{method} {path}: {answer.status} {said.decode(errors='replace')}")
        return msgspec.json.decode(said)
