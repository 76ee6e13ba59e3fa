"""What the dashboard answers over a real port, and to whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hydra.ops.dashboard import serving
from hydra.ops.dashboard.app import BODY_MAX, HaltWanted
from tests.ops.dashboard.served import CONTENT, Board, served

JSON = "application/json"
PAGE = Path(serving.__file__).with_name("page")


@pytest.fixture(scope="module")
def the_board() -> Iterator[Board]:
    with served() as board:
        yield board


@pytest.fixture
def board(the_board: Board) -> Board:
    the_board.__init__(the_board.listening)  # type: ignore[misc]  # as at its beginning
    return the_board


@pytest.mark.parametrize(
    ("path", "name", "kind"),
    [
        ("/", "page.html", "text/html; charset=utf-8"),
        ("/page.css", "page.css", "text/css; charset=utf-8"),
        ("/page.js", "page.js", "text/javascript; charset=utf-8"),
    ],
)
def test_the_page_needs_no_key_and_its_files_are_all_that_it_loads(
    board: Board, path: str, name: str, kind: str
) -> None:
    answer = board.ask("GET", path, key="another")

    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.body == (PAGE / name).read_bytes()
    loaded = re.findall(rb'(?:src|href)="([^"]*)"', answer.body)
    assert set(loaded) <= {b"/page.css", b"/page.js"}


def test_a_look_is_told_with_its_age_to_whoever_has_the_key(board: Board) -> None:
    answer = board.ask("GET", "/api/look")

    assert (answer.status, answer.body) == (200, CONTENT)
    assert (answer.headers["content-type"], answer.headers["x-hydra-age"]) == (JSON, "1.5")


def test_where_there_is_no_look_that_is_said(board: Board) -> None:
    board.shown = None
    assert board.ask("GET", "/api/look").status == 503
    board.is_alive = False
    answer = board.ask("GET", "/api/look")
    assert answer.status == 500
    assert b"start the dashboard again" in answer.body


def test_a_halt_is_passed_on_and_what_came_of_it_is_told(board: Board) -> None:
    body = b'{"reason":"a drill","close_only":true}'

    answer = board.ask("POST", "/api/halt", body, Content_Type=JSON)

    assert (answer.status, answer.body) == (
        200, b'{"is_done":true,"words":["HALTED: no order passes"]}',
    )  # fmt: skip
    assert board.halts == [HaltWanted("a drill", close_only=True)]
    assert board.looked_soon == 1


def test_nobody_is_kept_from_a_halt_by_how_it_is_worded(board: Board) -> None:
    assert board.ask("POST", "/api/halt", b"{}", Content_Type=JSON).status == 200
    assert board.halts == [HaltWanted("", close_only=False)]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "text/plain", 415),
        (b"reason=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "application/json; charset=utf-8", 415),
        (b"", JSON, 400),
        (b"[]", JSON, 400),
        (b"{", JSON, 400),
        (b"[" * 5_000, JSON, 400),
        (b'{"reason":1}', JSON, 400),
        (b'{"close_only":"yes"}', JSON, 400),
        (b'{"resume":true}', JSON, 400),
        (b" " * (BODY_MAX + 1), JSON, 413),
    ],
)
def test_what_is_no_halt_halts_nothing(board: Board, body: bytes, kind: str, status: int) -> None:
    assert board.ask("POST", "/api/halt", body, Content_Type=kind).status == status
    assert board.halts == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_a_post_halts_i86(board: Board, method: str) -> None:
    assert board.ask(method, "/api/halt", b"{}", Content_Type=JSON).status == 405
    assert board.halts == []


FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "evil.example:8484"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
]


@pytest.mark.parametrize("path", ["/", "/page.js", "/api/look", "/api/halt", "/nowhere"])
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_elsewhere_gets_nothing_and_does_nothing_i86(
    board: Board, path: str, headers: dict[str, str]
) -> None:
    method = "POST" if path == "/api/halt" else "GET"

    answer = board.ask(method, path, b"{}", Content_Type=JSON, **headers)

    assert answer.status == 403
    assert CONTENT not in answer.body
    assert board.halts == []


@pytest.mark.parametrize("key", ["", "another", "the-right-kez", "the-right-key2"])
def test_without_the_key_nothing_is_told_and_nothing_is_halted_i86(board: Board, key: str) -> None:
    look = board.ask("GET", "/api/look", key=key)
    halt = board.ask("POST", "/api/halt", b"{}", key=key, Content_Type=JSON)

    assert (look.status, halt.status) == (401, 401)
    assert CONTENT not in look.body
    assert board.halts == []


def test_a_key_in_the_address_opens_nothing_i86(board: Board) -> None:
    assert board.ask("GET", "/api/look?key=the-right-key", key="").status == 401


@pytest.mark.parametrize(
    "path",
    [
        "/../access.py",
        "/page/../../access.py",
        "/%2e%2e/access.py",
        "/%252e%252e/access.py",
        "/..%2faccess.py",
        "//etc/passwd",
        "/etc/passwd",
        "/page.js/../page.html",
        "/page.html",
        "/page.js%00.html",
        "/page%2ejs/",
        "/page.js/",
        "/api",
        "/api/",
        "/api/look/",
        "/api/resume",
        "/api/flatten",
        "/link.json",
    ],
)
def test_no_path_leads_to_anything_else_i86(board: Board, path: str) -> None:
    answer = board.ask("GET", path)

    assert answer.status == 404
    assert len(answer.body) < 100


@pytest.mark.parametrize("path", ["/", "/page.js", "/api/look", "/nowhere"])
@pytest.mark.parametrize("host", [None, "evil.example"])
def test_every_answer_forbids_to_keep_it_to_frame_it_and_to_run_what_is_not_ours(
    board: Board, path: str, host: str | None
) -> None:
    asked = board.ask("GET", path) if host is None else board.ask("GET", path, Host=host)
    headers = asked.headers

    assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    safe = {
        "cache-control": "no-store",
        "connection": "close",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
    assert {name: headers.get(name) for name in safe} == safe
    assert not any(name.startswith("access-control") for name in headers)


def answer_to(board: Board, said: bytes) -> bytes:
    """All that comes until it hangs up."""
    with board.connected() as connection:
        answer = b""
        with suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(said)
            while part := connection.recv(65536):
                answer += part
        return answer


def test_a_hundred_thousand_headers_and_a_body_of_a_gigabyte_are_cut_off_i87(board: Board) -> None:
    host = f"Host: 127.0.0.1:{board.port}\r\n".encode()
    key = b"Authorization: Bearer the-right-key\r\n"
    headers = b"".join(b"X-%d: y\r\n" % number for number in range(100_000))
    long = b"Content-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n"

    many = answer_to(board, b"GET / HTTP/1.1\r\n" + host + headers + b"\r\n")
    large = answer_to(board, b"POST /api/halt HTTP/1.1\r\n" + host + key + long + b" " * 65_536)

    assert b" 200 " not in many
    assert large == b"" or large.startswith(b"HTTP/1.1 413 ")
    assert board.halts == []
    assert board.ask("GET", "/api/look").status == 200


def test_of_requests_one_after_the_other_only_the_first_is_answered(board: Board) -> None:
    one = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{board.port}\r\n\r\n".encode()

    answer = answer_to(board, one * 50)

    assert answer.count(b"HTTP/1.1 ") == 1


def test_no_bytes_end_it_i86(board: Board) -> None:
    for said in (b"\x00\xff" * 100, b"GET\r\n\r\n", b"\r\n" * 100, b"GET / HTTP/9.9\r\n\r\n"):
        assert b" 200 " not in answer_to(board, said)
    assert board.ask("GET", "/").status == 200


def test_who_sends_half_a_request_is_cut_off_i87(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "GONE_AFTER_S", 0.2)
    with served() as board, board.connected() as half:
        half.sendall(b"GET / HTTP/1.1\r\nHost: ")

        with suppress(ConnectionResetError):
            assert half.recv(1) == b""


def test_hundreds_that_say_nothing_are_turned_away_and_leave_room_at_once_i87() -> None:
    with served() as board:
        silent = [board.connected() for _ in range(300)]
        try:
            assert _answers(board)
            assert _answers(board)
        finally:
            for each in silent:
                each.close()


def _answers(board: Board) -> bool:
    with suppress(OSError):
        return board.ask("GET", "/api/look").status == 200
    return False


def test_the_page_makes_no_markup_of_what_it_is_told_i86() -> None:
    script = (PAGE / "page.js").read_text()

    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert word not in script
