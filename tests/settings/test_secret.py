"""A secret shows itself to nobody who does not ask for it by name."""

import copy
import json
import pickle
import traceback
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import orjson
import pydantic
import pytest

from hydra.settings.secret import MASK, Secret
from hydra.settings.secrets import Secrets

CANARY = "PKcanary7/+=canary"
SECRET = Secret(CANARY)
SECRETS = Secrets(alpaca_key=SECRET, alpaca_secret=Secret("another-canary-of-ours"))


class Model(pydantic.BaseModel):
    key: Secret


@dataclass(frozen=True)
class Holder:
    key: Secret


SHOWN: dict[str, Any] = {
    "repr": lambda: repr(SECRET),
    "str": lambda: str(SECRET),
    "format": lambda: f"{SECRET} {SECRET!r} {SECRET!s} {SECRET:>40}",
    "percent": lambda: "%s %r" % (SECRET, SECRET),  # noqa: UP031  # logging formats so
    "in a list": lambda: str([SECRET, (SECRET,), {SECRET.__class__: SECRET}]),
    "a dataclass": lambda: f"{Holder(SECRET)} {asdict(Holder(SECRET))}",
    "all secrets": lambda: f"{SECRETS} {asdict(SECRETS)}",
    "json with str": lambda: json.dumps({"key": SECRET}, default=str),
    "json with repr": lambda: json.dumps({"key": SECRET}, default=repr),
    "orjson": lambda: orjson.dumps({"key": SECRET}, default=str).decode(),
    "msgspec": lambda: msgspec.json.encode({"key": SECRET}, enc_hook=str).decode(),
    "pydantic": lambda: str(Model(key=SECRET)),
    "pydantic's dump": lambda: str(Model(key=SECRET).model_dump()),
    "pydantic's json": lambda: Model(key=SECRET).model_dump_json(),
    "dir": lambda: " ".join(dir(SECRET)),
    "its documentation": lambda: str(SECRET.__doc__),
}


@pytest.mark.parametrize("how", SHOWN)
def test_a_secret_is_masked_however_it_is_shown_i83(how: str) -> None:
    shown = SHOWN[how]()

    assert "canary" not in shown
    assert MASK in shown or how in ("dir", "its documentation")


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: pickle.dumps(SECRET),
        lambda: pickle.dumps(SECRETS, protocol=5),
        lambda: json.dumps(SECRET),
        lambda: orjson.dumps(SECRET),
        lambda: msgspec.json.encode(SECRET),
        lambda: msgspec.to_builtins(SECRETS.alpaca_key),
        lambda: vars(SECRET),
        lambda: hash(SECRET),
        lambda: bytes(SECRET),  # type: ignore[call-overload]
        lambda: list(SECRET),  # type: ignore[call-overload]
        lambda: CANARY + SECRET,  # type: ignore[operator]
        lambda: setattr(SECRET, "key", 1),
        lambda: delattr(SECRET, "_Secret__value"),
    ],
)
def test_what_would_write_or_take_apart_a_secret_fails_without_showing_it_i83(
    attempt: Any,
) -> None:
    with pytest.raises((TypeError, AttributeError)) as failed:
        attempt()

    assert "canary" not in str(failed.value)
    assert SECRET.reveal() == CANARY


def test_a_traceback_with_all_its_variables_does_not_show_it_i83() -> None:
    def fails(key: Secret, secrets: Secrets) -> None:
        raise ValueError(f"no luck with {key} of {secrets}")

    with pytest.raises(ValueError, match="no luck") as failed:
        fails(SECRET, SECRETS)

    told = traceback.TracebackException.from_exception(failed.value, capture_locals=True)
    assert "canary" not in "".join(told.format()).replace("CANARY", "")


def test_a_secret_is_equal_to_one_of_the_same_content_only_i83() -> None:
    assert Secret("one-of-ours") == Secret("one-of-ours")
    assert Secret("one-of-ours") != Secret("one-of-theirs")
    assert Secret("with-umlaut-ö") == Secret("with-umlaut-ö")
    assert Secret("one-of-ours") != "one-of-ours"


def test_a_copy_of_a_secret_is_the_secret_i83() -> None:
    assert copy.copy(SECRET) is SECRET
    assert copy.deepcopy({"key": SECRET})["key"] is SECRET


def test_its_value_is_for_those_who_ask_i83() -> None:
    assert SECRET.reveal() == CANARY
    assert SECRETS.values() == (CANARY, "another-canary-of-ours")
    assert Secrets().values() == ()
