from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.debug.describing import plain
from hydra.ops.debug.protocol import (
    LINE_MAX,
    REPLY_MAX,
    Lines,
    Malformed,
    Request,
    failure,
    parse,
    reply,
    request,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(
    st.integers(0, 2**31) | st.text(st.characters(codec="utf-8"), max_size=100),
    st.text(st.characters(codec="utf-8"), max_size=50),
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=9), JSON, max_size=4),
    st.none() | st.integers(0, 2**62),
)
def test_what_one_side_asks_the_other_side_reads(
    request_id: int | str, command: str, arguments: dict[str, Any], until: int | None
) -> None:
    line = request(request_id, command, arguments, until)

    assert line.count(b"\n") == 1
    assert parse(line.removesuffix(b"\n")) == Request(request_id, command, arguments, until)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (b"", "not a line of JSON"),
        (b"\xff\xfe", "not a line of JSON"),
        (b"{", "not a line of JSON"),
        (b"[" * 60_000, "not a line of JSON"),
        (b"[]", "wanted a JSON object, found list"),
        (b'{"id":1,"cmd":"tree"}', "wanted version 1, found None"),
        (b'{"v":2,"cmd":"tree"}', "wanted version 1, found 2"),
        (b'{"v":true,"cmd":"tree"}', "wanted version 1, found True"),
        (b'{"v":1}', "cmd must be the name of a command"),
        (b'{"v":1,"cmd":7}', "cmd must be the name of a command"),
        (b'{"v":1,"cmd":"tree","args":[]}', "args must be a JSON object"),
        (b'{"v":1,"cmd":"tree","id":1.5}', "id must be a number, a text, or left out"),
        (b'{"v":1,"cmd":"tree","id":true}', "id must be a number, a text, or left out"),
        (b'{"v":1,"cmd":"tree","id":"' + b"x" * 101 + b'"}', "an id has at most 100 characters"),
        (b'{"v":1,"cmd":"tree","mode":1}', "wanted v, id, cmd, args and until, found also mode"),
        (b'{"v":1,"cmd":"tree","until":1.5}', "until must be a whole number of ns"),
        (b'{"v":1,"cmd":"tree","until":true}', "until must be a whole number of ns"),
    ],
)
def test_what_is_no_request_is_refused_with_what_was_wanted(line: bytes, complaint: str) -> None:
    with pytest.raises(Malformed, match=complaint):
        parse(line)


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_request_or_malformed(line: bytes) -> None:
    try:
        parsed = parse(line)
    except Malformed:
        return
    assert isinstance(parsed.command, str)


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_lines_come_out_whole_however_they_were_cut(chunks: list[bytes]) -> None:
    lines = Lines()

    found = [line for chunk in chunks for line in lines.feed(chunk)]

    *complete, rest = b"".join(chunks).split(b"\n")
    assert found == complete
    assert lines.has_begun == bool(rest)


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(2, 50))
def test_never_more_than_the_longest_line_is_kept(chunks: list[bytes], longest: int) -> None:
    lines = Lines(longest)

    try:
        found = [line for chunk in chunks for line in lines.feed(chunk)]
    except Malformed:
        assert any(len(line) >= longest for line in b"".join(chunks).split(b"\n"))
    else:
        assert all(len(line) < longest for line in found)


def test_a_line_of_just_the_longest_length_is_read() -> None:
    assert Lines().feed(b"x" * (LINE_MAX - 1) + b"\n") == [b"x" * (LINE_MAX - 1)]
    with pytest.raises(Malformed, match="longer than 65536 bytes"):
        Lines().feed(b"x" * LINE_MAX)


@given(st.integers(0, 400), st.integers(1, 20_000))
def test_a_list_that_is_too_long_is_cut_and_says_so(count: int, size: int) -> None:
    rows = [{"text": "x" * (size + number % 7)} for number in range(count)]

    line = reply(1, {"rows": rows, "total": count, "cut": None})

    told = orjson.loads(line)["data"]
    assert len(line) <= REPLY_MAX
    assert told["rows"] == rows[: len(told["rows"])]
    assert (told["cut"] is None) == (len(told["rows"]) == count)


def test_what_cannot_be_cut_is_refused_with_its_size() -> None:
    told = orjson.loads(reply(1, {"state": "x" * REPLY_MAX}))

    assert told["ok"] is False
    assert "at most 524288 can be told: ask for less" in told["error"]


def test_data_that_json_does_not_know_is_a_failure_rather_than_a_crash() -> None:
    told = orjson.loads(reply(1, {"state": object()}))

    assert told["ok"] is False
    assert "cannot be written as JSON" in told["error"]


@given(st.text())
def test_every_error_can_be_told(error: str) -> None:
    told = orjson.loads(failure(1, error))

    assert told["ok"] is False


class Broken:
    def __repr__(self) -> str:
        raise OSError("not today")


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.builds(Broken)
    | st.builds(object),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.builds(lambda item: [item] * 300, inner)
    ),
    max_leaves=8,
)


@given(ANYTHING)
def test_whatever_an_actor_shows_of_itself_can_be_told(state: object) -> None:
    told = orjson.loads(reply(1, {"state": plain(state)}))

    assert told["ok"] or "ask for less" in told["error"]


def test_a_state_is_cut_in_depth_in_count_and_in_length() -> None:
    deep: Any = "bottom"
    for _ in range(6):
        deep = [deep]

    assert plain({"deep": deep}) == {"deep": [[["[[['bottom']]]"]]]}
    assert len(orjson.dumps(plain([[[["x" * 99] * 300] * 300] * 300]))) < 200_000
    assert plain(list(range(300)))[-1] == "… 100 more"
    assert plain(dict.fromkeys(range(300)))["…"] == "100 more"
    assert len(plain("x" * 10_000)) == 2_000
    assert plain(2**70) == str(2**70)
