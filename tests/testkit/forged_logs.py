"""The logs of both venues, to be falsified in the same words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Generic

from msgspec import structs

from hydra.store.engine_files import EngineFiles
from hydra.testkit.judge.venue_evidence import Asked
from hydra.trading.orders import Order, Role
from hydra.venues.alpaca.sending import order_body
from hydra.venues.simulated import log_lines as in_process
from hydra.venues.simulated.request_log import read_lines
from hydra.venues.simulated.requests import Submit
from hydra.venues.simulated.sealed_lines import L, LineFormat
from hydra.venues.simulated.server import log_lines as served
from hydra.venues.simulated.server.rest.bodies import read_fields
from hydra.venues.simulated.server.rest.trading.order_bodies import place_order


class ForgedLog(ABC, Generic[L]):
    """A log whose every line can be another one."""

    def __init__(self, path: Path, lines: LineFormat[L]) -> None:
        self.path = path
        self._format = lines

    def add(self, order: Order) -> None:
        """One order more, at the end."""
        lines = self.lines
        self.write([*lines, *self._more(lines, order)])

    def put(self, asked: Asked, order: Order, *, is_last: bool = False) -> None:
        """Another order in the place of this one; with `is_last` there is nothing after it."""
        lines = self._put(self.lines, asked.place, order)
        self.write(lines[: asked.place + 1] if is_last else lines)

    @property
    def lines(self) -> list[Any]:
        """All of them."""
        return list(read_lines(self.path, self._format))

    def write(self, lines: list[Any]) -> None:
        """These instead."""
        content = b"".join(self._format.encoded(line, n) for n, line in enumerate(lines, start=1))
        self.path.write_bytes(content)

    @abstractmethod
    def _more(self, lines: list[Any], order: Order) -> list[Any]: ...

    @abstractmethod
    def _put(self, lines: list[Any], place: int, order: Order) -> list[Any]: ...


class InProcessLog(ForgedLog[in_process.LogLine]):
    """An order is one line."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, in_process.FORMAT)

    def _more(self, lines: list[Any], order: Order) -> list[Any]:
        newest = newest_of(lines, in_process.RequestReceived)
        last = lines[-1]
        return [
            structs.replace(
                newest,
                number=newest.number + 1,
                at=last.at,
                events=last.events,
                request=Submit(order),
            )
        ]

    def _put(self, lines: list[Any], place: int, order: Order) -> list[Any]:
        lines[place] = structs.replace(lines[place], request=Submit(order))
        return lines


class ServedLog(ForgedLog[served.VenueLine]):
    """An order arrives, is received and is answered."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, served.FORMAT)

    def _more(self, lines: list[Any], order: Order) -> list[Any]:
        arrived = newest_of(lines, served.RequestArrived)
        received = newest_of(lines, served.RequestReceived)
        body, last = body_of(order), lines[-1]
        now = {"at": last.at, "events": last.events}
        number = arrived.number + 1
        return [
            structs.replace(arrived, number=number, body=body, **now),
            structs.replace(received, number=received.number + 1, request=request_of(body), **now),
            served.RequestAnswered(number=number, wall_ns=0, status=200, **now),
        ]

    def _put(self, lines: list[Any], place: int, order: Order) -> list[Any]:
        body = body_of(order)
        lines[place] = structs.replace(lines[place], request=request_of(body))
        while not isinstance(lines[place], served.RequestArrived):
            place -= 1
        lines[place] = structs.replace(lines[place], body=body)
        return lines


def log_of(files: EngineFiles) -> ForgedLog[Any]:
    """The log that is there."""
    if files.venue_account.exists():
        return ServedLog(files.venue_account)
    return InProcessLog(files.venue_log)


def body_of(order: Order) -> str:
    """As our adapter sends it."""
    role = Role.EXIT if order.client_order_id.endswith("-x") else Role.ENTRY
    return order_body(order, role).decode()


def request_of(body: str) -> Any:
    """As the venue reads it."""
    return place_order(read_fields(body.encode()))


def newest_of(lines: list[Any], kind: type[Any]) -> Any:
    """The last line of a kind."""
    return next(line for line in reversed(lines) if isinstance(line, kind))
