"""`/metrics` and `/healthz` for programs on this machine: no other can reach them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from hydra.ops.alerts.metrics import Numbers, families

HOST = "127.0.0.1"
CLOSED_WITHIN_S = 0.1
LOOKED_WITHIN_S = 30.0
"""Older than that a look says nothing of the present."""


class _Families(Collector):
    def __init__(self, numbers: Callable[[], Numbers]) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        return families(self._numbers())

    def describe(self) -> Iterator[Metric]:
        """None are promised: what is not known has no sample."""
        return iter(())


class MetricsServer:
    """Serves both pages on a port of this machine."""

    def __init__(self, port: int, numbers: Callable[[], Numbers]) -> None:
        """Bind; raises OSError. `numbers` is asked for each page, on threads of the server."""
        registry = CollectorRegistry()
        registry.register(_Families(numbers))

        class Pages(BaseHTTPRequestHandler):
            """The two pages, and 404 for everything else."""

            protocol_version = "HTTP/1.1"
            timeout = 5.0

            def do_GET(self) -> None:
                match self.path.partition("?")[0]:
                    case "/metrics":
                        self._answer(HTTPStatus.OK, generate_latest(registry), CONTENT_TYPE_LATEST)
                    case "/healthz":
                        is_well, page = _health_page(numbers())
                        status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
                        self._answer(status, page.encode(), "text/plain; charset=utf-8")
                    case _:
                        page = "found no such page; there are /metrics and /healthz\n"
                        self._answer(HTTPStatus.NOT_FOUND, page.encode(), "text/plain")

            def _answer(self, status: HTTPStatus, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody wants a line for each time that somebody asks."""

        self._server = ThreadingHTTPServer((HOST, port), Pages)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(CLOSED_WITHIN_S,), name="metrics", daemon=True
        )

    @property
    def port(self) -> int:
        """The one that it has: another than was asked for if that was 0."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve, until `close`."""
        self._thread.start()

    def close(self) -> None:
        """Serve no more. To be called once it was started."""
        self._server.shutdown()
        self._server.server_close()


def _health_page(numbers: Numbers) -> tuple[bool, str]:
    seen = numbers.seen
    if seen is None or numbers.looked_at is None:
        return False, "FAIL  watch: nobody has looked yet\n"
    lines = [
        f"{'pass' if each.passed else 'FAIL'}  {each.name}: {each.line}\n" for each in seen.findings
    ]
    age_s = abs(time.time() - numbers.looked_at)
    if age_s <= LOOKED_WITHIN_S:
        return all(each.passed for each in seen.findings), "".join(lines)
    limit = f"at most {LOOKED_WITHIN_S:g} s; the watch hangs"
    return False, "".join([f"FAIL  watch: the last look was {age_s:.0f} s ago, {limit}\n", *lines])
