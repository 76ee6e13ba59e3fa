"""Who may see the dashboard and halt from it, by what a request says of itself."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hydra.ops.dashboard.access import Access

KEY = "the-right-key"
ACCESS = Access(8484, KEY)
HOST = (b"host", b"127.0.0.1:8484")
BEARER = (b"authorization", f"Bearer {KEY}".encode())


def status(*headers: tuple[bytes, bytes]) -> int:
    """Of asking for what the engine tells; 200: it may be had."""
    refusal = ACCESS.to_the_engine(headers)
    return 200 if refusal is None else refusal.status


@pytest.mark.parametrize("name", [b"127.0.0.1:8484", b"localhost:8484"])
@pytest.mark.parametrize(
    "more",
    [
        (),
        ((b"origin", b"http://127.0.0.1:8484"), (b"sec-fetch-site", b"same-origin")),
        ((b"origin", b"http://localhost:8484"),),
        ((b"sec-fetch-site", b"none"),),
    ],
)
def test_who_has_the_key_and_comes_from_our_page_is_answered_i86(
    name: bytes, more: tuple[tuple[bytes, bytes], ...]
) -> None:
    assert status((b"host", name), BEARER, *more) == 200


@pytest.mark.parametrize(
    "name",
    [
        b"evil.example",
        b"evil.example:8484",
        b"127.0.0.1",
        b"127.0.0.1:80",
        b"127.0.0.1:8484.evil.example",
        b"127.0.0.1:8484@evil.example",
        b"127.0.0.1:08484",
        b"localhost.:8484",
        b"LOCALHOST:8484",
        b"[::1]:8484",
        b"0.0.0.0:8484",
        b" 127.0.0.1:8484",
        b"",
    ],
)
def test_another_host_is_refused_even_with_the_key_i86(name: bytes) -> None:
    assert status((b"host", name), BEARER) == 403


def test_a_host_that_is_missing_or_named_twice_is_refused_i86() -> None:
    assert status(BEARER) == 403
    assert status(HOST, HOST, BEARER) == 403
    assert status(HOST, (b"host", b"evil.example"), BEARER) == 403


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"http://evil.example"),
        (b"origin", b"https://127.0.0.1:8484"),
        (b"origin", b"http://127.0.0.1:8485"),
        (b"origin", b"null"),
        (b"origin", b""),
        (b"sec-fetch-site", b"cross-site"),
        (b"sec-fetch-site", b"same-site"),
        (b"sec-fetch-site", b""),
    ],
)
def test_a_page_of_somebody_else_s_is_refused_even_with_the_key_i86(
    header: tuple[bytes, bytes],
) -> None:
    assert status(HOST, BEARER, header) == 403
    refusal = ACCESS.to_the_page((HOST, header))
    assert refusal is not None and refusal.status == 403


@pytest.mark.parametrize(
    "given",
    [
        (),
        ((b"authorization", b""),),
        ((b"authorization", b"Bearer "),),
        ((b"authorization", KEY.encode()),),
        ((b"authorization", b"Basic " + KEY.encode()),),
        ((b"authorization", b"bearer " + KEY.encode()),),
        ((b"authorization", b"Bearer " + KEY.encode() + b" "),),
        (BEARER, BEARER),
        (BEARER, (b"authorization", b"Bearer another")),
    ],
)
def test_without_the_key_nothing_is_told_i86(given: tuple[tuple[bytes, bytes], ...]) -> None:
    assert status(HOST, *given) == 401


@given(st.binary())
def test_no_other_key_is_taken_i86(key: bytes) -> None:
    assume(key != KEY.encode())
    assert status(HOST, (b"authorization", b"Bearer " + key)) == 401


def test_the_page_itself_needs_no_key() -> None:
    assert ACCESS.to_the_page((HOST,)) is None
