"""Which account the keys open, or one line that says why there is none and what to do."""

import threading
from collections.abc import Callable

import pytest

from hydra.ops import broker_account
from hydra.ops.broker_account import NoAccount, require_account
from hydra.ops.exit_codes import ExitCode
from hydra.settings.secret import Secret
from hydra.settings.section import VenueName
from hydra.trading.durations import SECOND
from hydra.venues.alpaca.access import PAPER, Access, local_addresses
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.times import rfc3339
from tests.venues.alpaca.fake_alpaca import FakeAlpaca, Received, Reply, fake_alpaca
from tests.venues.alpaca.samples import account_json

SECRET = "a-secret-of-this-test-alone"


def asked(
    broker: FakeAlpaca,
    *,
    key: str = "HYDRA0001",
    mode: VenueName = VenueName.EMBEDDED,
    bound_account: str | None = None,
    stopping: threading.Event | None = None,
    said: list[str] | None = None,
) -> str | None:
    access = Access(
        local_addresses(broker.url), Secret(key), Secret(SECRET), Network(loopback_only=True)
    )
    try:
        return require_account(
            access,
            mode,
            bound_account=bound_account,
            market_time=lambda: 0,
            say=(said if said is not None else []).append,
            stopping=stopping or threading.Event(),
        )
    finally:
        access.close()


def asked_of_paper(
    broker: FakeAlpaca, *, market_time: Callable[[], int], said: list[str] | None = None
) -> str | None:
    """As of Alpaca's practice account, whose part the broker on loopback plays."""
    access = Access(
        local_addresses(broker.url),
        Secret("PKA1B2C3D4E5F6G7H8J9"),
        Secret(SECRET),
        Network(loopback_only=True),
    )
    access.addresses = PAPER
    try:
        return require_account(
            access,
            VenueName.PAPER,
            bound_account=None,
            market_time=market_time,
            say=(said if said is not None else []).append,
            stopping=threading.Event(),
        )
    finally:
        access.close()


def clock_at(at: int) -> dict[str, object]:
    return {"timestamp": rfc3339(at), "is_open": True, "next_open": "", "next_close": ""}


def test_the_account_that_the_keys_open_is_found_i82() -> None:
    with fake_alpaca(lambda _: Reply(200, account_json())) as broker:
        assert asked(broker, bound_account="PA3HYDRA0001") == "PA3HYDRA0001"

    assert broker.asked == ["GET /v2/account"]


@pytest.mark.parametrize("status", [401, 403])
def test_keys_that_are_refused_are_said_in_one_line_with_what_to_do(status: int) -> None:
    refusal = Reply(status, {"code": status * 100_000, "message": "forbidden."})

    with fake_alpaca(lambda _: refusal) as broker, pytest.raises(NoAccount) as none:
        asked(broker)

    assert none.value.code is ExitCode.PREFLIGHT_FAILED
    assert str(none.value) == (
        f"venue embedded: the keys are refused ({status}/{status * 100_000}: forbidden.); check"
        " ALPACA_KEY and ALPACA_SECRET in .env: they must be of the embedded account"
    )


@pytest.mark.parametrize("body", [b"<html>401 Authorization Required</html>", b""])
def test_keys_that_are_refused_by_a_page_are_refused_at_once(body: bytes) -> None:
    said = list[str]()

    with fake_alpaca(lambda _: Reply(401, body)) as broker, pytest.raises(NoAccount) as none:
        asked_of_paper(broker, market_time=lambda: 0, said=said)

    assert none.value.code is ExitCode.PREFLIGHT_FAILED
    assert str(none.value) == (
        "venue paper: the keys are refused (the broker answered 401); check ALPACA_KEY and"
        " ALPACA_SECRET in .env: they must be of the paper account"
    )
    assert (broker.asked, said) == (["GET /v2/account"], [])


@pytest.mark.parametrize("body", [b"<html>403 Forbidden</html>", b""])
def test_who_is_kept_out_by_something_else_gives_up_after_a_few_tries(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_account, "PAUSE_S_MIN", 0.01)
    said = list[str]()

    with fake_alpaca(lambda _: Reply(403, body)) as broker, pytest.raises(NoAccount) as none:
        asked_of_paper(broker, market_time=lambda: 0, said=said)

    assert none.value.code is ExitCode.PREFLIGHT_FAILED
    assert str(none.value).startswith(
        "venue paper: GET /v2/account: the broker answered 403, 5 times in a row: "
    )
    assert broker.asked == ["GET /v2/account"] * 5
    assert len(said) == 1


def test_a_door_that_is_shut_for_a_moment_only_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broker_account, "PAUSE_S_MIN", 0.01)
    monkeypatch.setattr(broker_account, "PAUSE_S_MAX", 0.01)
    barred, silent = [Reply(403, b"")] * 4, [Reply(503, b"")]
    answers = iter([*barred, *silent, *barred, Reply(200, account_json(account_number="PA3ABC"))])

    with fake_alpaca(
        lambda asked: next(answers) if "account" in asked.path else Reply(200, clock_at(0))
    ) as broker:
        assert asked_of_paper(broker, market_time=lambda: 0) == "PA3ABC"


@pytest.mark.parametrize(
    ("key", "bound_account", "wrong"),
    [
        ("PKA1B2C3D4E5F6G7H8J9", None, "the key is one of paper"),
        ("HYDRA0001", "PA3OTHERS001", "the ledger's account is one of paper"),
        ("HYDRA0001", "PA3HYDRA0002", "the ledger is bound to account PA3HYDRA0002"),
    ],
)
def test_what_is_not_of_one_account_is_named_i82(
    key: str, bound_account: str | None, wrong: str
) -> None:
    with (
        fake_alpaca(lambda _: Reply(200, account_json())) as broker,
        pytest.raises(NoAccount) as none,
    ):
        asked(broker, key=key, bound_account=bound_account)

    assert none.value.code is ExitCode.PAPER_LIVE_MISMATCH
    assert wrong in str(none.value)
    assert str(none.value).endswith("use the keys, address and state folder of one account")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Reply(429, {"message": "too many requests."}), "429: too many requests"),
        (Reply(503, b"<html>"), "the broker answered 503"),
        (Reply(200, b""), "200, and the answer cannot be read: the body is empty"),
        (Reply(404, {"code": 40410000, "message": "not found"}), "the broker says that there is"),
    ],
)
def test_a_broker_that_gives_no_answer_is_asked_again_and_said_once(
    answer: Reply, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_account, "PAUSE_S_MIN", 0.01)
    stopping, said = threading.Event(), list[str]()
    left = [answer, answer]

    def broker_says(_: object) -> Reply:
        if left:
            return left.pop()
        stopping.set()
        return answer

    with fake_alpaca(broker_says) as broker:
        number = asked(broker, mode=VenueName.PAPER, stopping=stopping, said=said)

    assert number is None  # somebody asked to stop
    assert broker.asked == ["GET /v2/account"] * 3
    (line,) = said
    assert line.startswith(f"venue paper: GET /v2/account: {words}")
    assert line.endswith("; trying again until it answers")


def test_a_clock_that_is_shown_too_slowly_to_tell_is_asked_for_again_and_said_once_i48(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(broker_account, "PAUSE_S_MIN", 0.01)
    times = iter([0, 9 * SECOND, 20 * SECOND, 26 * SECOND, 30 * SECOND, 30 * SECOND])
    shown = iter([5 * SECOND, 23 * SECOND, 31 * SECOND])
    said = list[str]()

    def broker_says(received: Received) -> Reply:
        if received.path == "/v2/account":
            return Reply(200, account_json(account_number="PA3ABCDEFGH"))
        return Reply(200, clock_at(next(shown)))

    with fake_alpaca(broker_says) as broker:
        number = asked_of_paper(broker, market_time=lambda: next(times), said=said)

    assert number == "PA3ABCDEFGH"
    assert broker.asked == ["GET /v2/account", "GET /v2/clock"] * 3
    (line,) = said
    assert line == (
        "venue paper: GET /v2/clock: the answer took too long to tell whether the venue's clock is"
        " ours; trying again until it answers"
    )


def test_a_clock_that_is_surely_another_is_refused_however_slowly_it_is_shown_i48() -> None:
    def broker_says(received: Received) -> Reply:
        if received.path == "/v2/account":
            return Reply(200, account_json(account_number="PA3ABCDEFGH"))
        return Reply(200, clock_at(60 * SECOND))

    times = iter([0, 9 * SECOND])
    with (
        fake_alpaca(broker_says) as broker,
        pytest.raises(NoAccount, match=r"55\.500 s ahead of ours, give or take 4\.500 s") as none,
    ):
        asked_of_paper(broker, market_time=lambda: next(times))

    assert none.value.code is ExitCode.PREFLIGHT_FAILED


def test_the_embedded_venue_has_to_answer_at_once() -> None:
    with fake_alpaca(lambda _: Reply(503, b"")) as broker, pytest.raises(NoAccount) as none:
        asked(broker)

    assert none.value.code is ExitCode.PREFLIGHT_FAILED
    assert str(none.value) == "GET /v2/account: the broker answered 503"
