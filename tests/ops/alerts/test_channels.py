"""Ways to people: real requests of apprise to a service on this machine, and no key in any word."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import apprise
import orjson
import pytest
from msgspec.structs import replace

from hydra.ops.alerts.channels import (
    HANGING_MAX,
    AppriseChannel,
    ChannelsRefused,
    Sender,
    Sent,
    channels_of,
)
from hydra.ops.alerts.conditions import Severity
from hydra.ops.alerts.heartbeat import EVERY, Heartbeat, HeartbeatRefused
from hydra.ops.alerts.wording import Message
from hydra.settings.secret import Secret
from hydra.trading.durations import SECOND
from tests.ops.alerts.looks import AT
from tests.waiting import eventually

PASSWORD = "tops3cret"


class Service:
    """Takes what is sent to /hook, refuses what is sent to /broken, and counts beats."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.beats = 0
        service = self

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.got.append(body)
                self._answer(200 if self.path == "/hook" else 500)

            def do_GET(self) -> None:
                service.beats += 1
                self._answer(200 if self.path == "/beat" else 404)

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads it."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def address(self, page: str) -> Secret:
        return Secret(f"json://user:{PASSWORD}@{self.host}/{page}")


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


def channel_to(address: Secret) -> AppriseChannel:
    (channel,) = channels_of([address], loopback_only=True)
    return channel


def message(severity: Severity = Severity.CRITICAL) -> Message:
    return Message(at=AT, severity=severity, title="a title", body="one\n\ntwo *stars* <b>")


def test_a_message_arrives_as_it_was_written(service: Service) -> None:
    assert channel_to(service.address("hook")).send(message()) is None

    (got,) = service.got
    assert (got["title"], got["message"], got["type"]) == (
        "a title",
        "one\n\ntwo *stars* <b>",
        "failure",
    )


@pytest.mark.parametrize(
    ("severity", "kind"),
    [(Severity.NOTICE, "info"), (Severity.WARNING, "warning"), (Severity.CRITICAL, "failure")],
)
def test_how_bad_it_is_goes_with_it(service: Service, severity: Severity, kind: str) -> None:
    channel_to(service.address("hook")).send(message(severity))

    assert service.got[0]["type"] == kind


def test_why_it_does_not_arrive_is_said_without_a_piece_of_the_address_i83(
    service: Service,
) -> None:
    broken = channel_to(service.address("broken-hook-token"))
    error = broken.send(message())

    assert error is not None and "500" in error
    assert not any(piece in error + broken.name for piece in (PASSWORD, "broken-hook-token"))


def test_nobody_there_is_an_error_too() -> None:
    error = channel_to(Secret("json://127.0.0.1:1/hook")).send(message())

    assert error is not None and "onnection" in error


def test_a_channel_keeps_its_name_and_another_address_has_another(service: Service) -> None:
    hook = service.address("hook")
    names = {channel_to(hook).name, channel_to(hook).name}

    assert len(names) == 1
    assert names.isdisjoint({channel_to(service.address("other")).name})


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        (["nothing://token-token"], "address 1 of 1 is none that apprise can use (it begins with"),
        (["json://localhost/a", "slack://token-token"], "address 2 of 2 is none"),
        (["json://localhost/a", "json://localhost/a"], "address 2 is there twice"),
        (["json://example.com/token-token"], "LIVE_DISABLE_NETWORK refuses every connection"),
        (["mailto://user:token-token@localhost"], "LIVE_DISABLE_NETWORK refuses"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_a_piece_of_it_i83(
    addresses: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ChannelsRefused) as refused:
        channels_of([Secret(address) for address in addresses], loopback_only=True)

    shown = str(refused.value) + "".join(capfd.readouterr())
    assert said in shown
    assert "token-token" not in shown


def test_other_machines_may_be_told_where_the_network_is_on() -> None:
    (channel,) = channels_of([Secret("json://example.com/hook")], loopback_only=False)

    assert channel.name.startswith("JSON ")


class Slow:
    """A channel that takes its time."""

    name = "slow"

    def __init__(self) -> None:
        self.may_go = threading.Event()

    def send(self, message: Message) -> str | None:
        self.may_go.wait(10)
        return f"not {message.title}"


def test_a_sender_waits_for_its_channel_and_nobody_waits_for_the_sender() -> None:
    slow, done = Slow(), SimpleQueue[Sent]()
    sender = Sender(slow, done)
    sender.start()
    sender.send(message(), 7)
    assert (sender.is_busy, done.empty()) == (True, True)

    slow.may_go.set()
    assert done.get(timeout=10) == Sent("slow", 7, "not a title")


def test_a_heartbeat_goes_out_once_a_minute_and_its_address_in_no_word(service: Service) -> None:
    beating = Heartbeat(Secret(f"http://{service.host}/beat"), loopback_only=True)
    beating.start()
    for second in range(0, 121, 2):
        beating.beat(AT + second * SECOND)

    assert eventually(lambda: service.beats == 3)
    assert (beating.fault, EVERY) == (None, 60 * SECOND)


def test_of_the_answer_to_a_heartbeat_no_more_is_waited_for_than_that_it_was_taken() -> None:
    """A page without an end would fill the memory, and no beat would ever follow."""
    dripping = Dripping()
    try:
        beating = Heartbeat(dripping.beat, loopback_only=True)
        beating.start()
        for minute in range(3):
            beating.beat(AT + minute * EVERY)
        assert eventually(lambda: dripping.asked == 3)
        assert beating.fault is None
    finally:
        dripping.close()


@pytest.mark.parametrize("page", ["gone-token", None])
def test_a_heartbeat_that_does_not_arrive_is_known(service: Service, page: str | None) -> None:
    host = "127.0.0.1:1" if page is None else service.host
    beating = Heartbeat(Secret(f"http://{host}/{page}"), loopback_only=True)
    beating.start()
    beating.beat(AT)

    assert eventually(lambda: beating.fault is not None)
    assert beating.fault is not None and beating.fault.startswith("127.0.0.1: ")
    assert "token" not in beating.fault


def test_a_heartbeat_to_another_machine_is_refused_where_the_network_is_off() -> None:
    with pytest.raises(HeartbeatRefused, match="LIVE_DISABLE_NETWORK"):
        Heartbeat(Secret("https://example.com/token"), loopback_only=True)


# Of what a service derives from, apprise has no types: here and below.
class Short(apprise.NotifyBase):  # type: ignore[no-untyped-call]
    """A service that refuses what is longer than it takes, as Discord and many others do."""

    body_maxlen = 2_000
    request_rate_per_sec = 0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self.got: list[str] = []

    def send(self, body: str, *_: Any, **__: Any) -> bool:
        if len(body) > self.body_maxlen:
            return False
        self.got.append(body)
        return True


WORDS = [f"word{number}" for number in range(1_000)]


@pytest.mark.parametrize(("overflow", "is_whole"), [({}, True), ({"overflow": "truncate"}, False)])
def test_what_is_longer_than_a_service_takes_goes_to_it_in_parts_unless_its_address_says_how_i89(
    overflow: dict[str, str], is_whole: bool
) -> None:
    """It would refuse all of it, again and again, and whatever came up later with it."""
    short = Short(**overflow)
    channel = AppriseChannel(short, "Short 1", Secret("short://x"), 10.0)

    assert channel.send(replace(message(), body=" ".join(WORDS))) is None
    arrived = [word for body in short.got for word in body.split()]
    assert (arrived == WORDS) is is_whole


class Talkative(apprise.NotifyBase):  # type: ignore[no-untyped-call]
    """A service that says what it was given when it fails."""

    def __init__(self, said: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._said = said

    def send(self, *_: Any, **__: Any) -> bool:
        self.logger.warning("cannot reach %s", self._said)
        return False


@pytest.mark.parametrize(
    ("address", "said", "is_shown"),
    [
        ("mailto://user:p%40ss%2Fw0rd99@example.com", "p@ss/w0rd99", False),
        ("mailto://user:p%40ss%2Fw0rd99@example.com", "p%40ss%2Fw0rd99", False),
        ("mailto://user:p%40ss%2Fw0rd99@example.com", "example.com", True),
        ("ntfys://my-secret-topic", "my-secret-topic", False),
        ("pover://user@atoken0123456789", "atoken0123456789", False),
    ],
)
def test_no_key_of_an_address_is_said_in_whatever_form_it_stands_there_i83(
    address: str, said: str, is_shown: bool
) -> None:
    channel = AppriseChannel(Talkative(said), "Talkative 1", Secret(address), 10.0)
    error = channel.send(message())

    assert error is not None and error.startswith("cannot reach ")
    assert (said in error) is is_shown


class Dripping:
    """A service that begins to answer, and never comes to an end. Of what it is asked for with GET
    it sends all but the end, which nobody needs.
    """

    def __init__(self) -> None:
        self._over = threading.Event()
        self.asked = 0
        dripping = self

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                dripping.asked += 1
                with suppress(OSError):
                    while not dripping._over.wait(0.05):
                        self.wfile.write(b"H")

            def do_GET(self) -> None:
                dripping.asked += 1
                with suppress(OSError):
                    self.send_response(200)
                    self.end_headers()
                    while not dripping._over.wait(0.05):
                        self.wfile.write(b"x" * 1_000_000)

            def log_message(self, format: str, *args: Any) -> None:
                """Nobody reads it."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
        self.beat = Secret(f"http://127.0.0.1:{self._server.server_address[1]}/beat")
        self.address = Secret(f"json://127.0.0.1:{self._server.server_address[1]}/drip")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def test_a_service_that_never_ends_its_answer_holds_up_no_other_and_is_not_asked_for_ever_i89(
    service: Service,
) -> None:
    dripping = Dripping()
    try:
        (hangs,) = channels_of([dripping.address], loopback_only=True, within_s=0.1)
        errors = [hangs.send(message()) for _ in range(12)]
        assert channel_to(service.address("hook")).send(message()) is None
        assert errors[0] == "it did not come to an end within 0.1 s"
        assert errors[-1] == f"{HANGING_MAX} earlier tries have not come to an end yet"
        assert dripping.asked == HANGING_MAX
        hanging = [thread for thread in threading.enumerate() if thread.name == "alert"]
        assert (len(hanging), all(thread.daemon for thread in hanging)) == (HANGING_MAX, True)
    finally:
        dripping.close()
