"""Messages in both encodings, alone and in arrays."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.server.rest.timestamps import rfc3339
from hydra.venues.simulated.server.streams.encodings import (
    JSON,
    MSGPACK,
    Encoding,
    encoding_asked_for,
)

TIMES = st.integers(0, 2**62)
MESSAGES = st.fixed_dictionaries(
    {"T": st.sampled_from("tqb"), "S": st.text(max_size=5), "p": st.floats(0, 1e6), "t": TIMES},
    optional={"created_at": TIMES, "updated_at": TIMES, "c": st.lists(st.text(max_size=2))},
).map(lambda message: {"T": message["T"]} | message)


@given(st.lists(MESSAGES, max_size=40))
def test_a_frame_is_an_array_of_messages_whose_times_are_exact(
    messages: list[dict[str, Any]],
) -> None:
    def with_times(form: Any) -> list[dict[str, Any]]:
        return [
            {
                name: form(value) if name in ("t", "created_at", "updated_at") else value
                for name, value in message.items()
            }
            for message in messages
        ]

    packed = msgpack.unpackb(MSGPACK.many([MSGPACK.one(message) for message in messages]))
    text = json.loads(JSON.many([JSON.one(message) for message in messages]))

    assert packed == with_times(msgpack.Timestamp.from_unix_nano)
    assert text == with_times(rfc3339)
    for found in (packed, text):
        assert [next(iter(message)) for message in found] == ["T"] * len(messages)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 65535, 65536])
def test_an_array_may_be_of_any_length(count: int) -> None:
    assert msgpack.unpackb(MSGPACK.many([b"\x01"] * count)) == [1] * count


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [("application/msgpack", MSGPACK), ("Application/MsgPack ", MSGPACK), ("", JSON),
     ("application/json", JSON), ("text/plain", JSON)],
)  # fmt: skip
def test_the_handshake_says_which_encoding_is_wanted(content_type: str, encoding: Encoding) -> None:
    assert encoding_asked_for(content_type) is encoding
