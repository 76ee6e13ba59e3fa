"""A canary secret goes into records in every way, and comes out in no form at all."""

import base64
import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.journal import JournalFile
from hydra.store.journal_line import MAX_LINE_BYTES, OWN_KEYS, line_of, record_in
from hydra.store.journal_reading import findings_in
from hydra.store.redaction import REDACTED, Redactor, is_secret_by_name
from tests.store.orders import AT

KEY = "PKCANARY0123456789AB"
SECRET = 'zK/9+"canary\\hidden ünï\n%41=&~~~>>>?x'
CANARIES = (KEY, SECRET)
REDACTOR = Redactor(CANARIES)


def escaped(secret: str) -> str:
    return json.dumps(secret)[1:-1]


FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode(),
    "base64 without padding": lambda s: base64.b64encode(s.encode()).decode().rstrip("="),
    "base64 behind one byte": lambda s: base64.b64encode(f"u{s}".encode()).decode(),
    "base64 behind two": lambda s: base64.urlsafe_b64encode(f"u:{s}".encode()).decode(),
    "base64 between others": lambda s: base64.b64encode(f"user:{s}, and".encode()).decode(),
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a path": quote,
    "in a query": quote_plus,
    "in a URL, small": lambda secret: re.sub(
        "%..", lambda match: match[0].lower(), quote(secret, safe="")
    ),
    "JSON": escaped,
    "JSON, not ASCII": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda secret: escaped(escaped(secret)),
    "JSON with slashes": lambda secret: escaped(secret).replace("/", "\\/"),
    "JSON in capitals": lambda secret: re.sub(
        r"(?<=\\u)[0-9a-f]{4}", lambda match: match[0].upper(), escaped(secret)
    ),
    "Python": lambda secret: repr(secret)[1:-1],
    "Python, ASCII": lambda secret: ascii(secret)[1:-1],
    "hex": lambda secret: secret.encode().hex(),
    "hex in capitals": lambda secret: secret.encode().hex().upper(),
}


def leaks_in(text: str, secret: str) -> list[str]:
    """In which forms the secret can still be read out of a text, by someone who tries."""
    found = [name for name, form in FORMS.items() if form(secret) in text]
    readable = [text, text.replace("\\/", "/"), unquote_plus(text)]
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", text):
        for skipped in range(4):
            part = run[skipped:].translate(str.maketrans("-_", "+/"))
            part = part[: len(part) // 4 * 4]
            readable.append(base64.b64decode(part).decode("utf-8", "replace"))
    runs = re.findall(r"(?:[0-9a-fA-F]{2})+", text)
    readable += [bytes.fromhex(run).decode("utf-8", "replace") for run in runs]
    # Most of a secret is as bad as all of it.
    core = secret[2:-2]
    return found + [f"{core!r} decoded" for each in readable if core in each]


@pytest.mark.parametrize("before", ["", "u", "u:"])
def test_the_secret_of_these_tests_is_in_each_base64_another_text(before: str) -> None:
    raw = f"{before}{SECRET}".encode()

    assert base64.b64encode(raw) != base64.urlsafe_b64encode(raw)


@pytest.mark.parametrize("secret", CANARIES, ids=["key", "secret"])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_taken_out_of_text_in_every_form_i83(form: str, secret: str) -> None:
    written = FORMS[form](secret)
    assert leaks_in(f"GET /v2?k={written} failed", secret) != []

    clean = REDACTOR.text(f"GET /v2?k={written} failed")

    assert leaks_in(clean, secret) == []
    if form != "base64 between others":  # where the others stay
        assert clean == f"GET /v2?k={REDACTED} failed"


def test_text_without_a_secret_stays_as_it_is() -> None:
    text = "the secret token was refused: PKCANARY, canary, zK/9"

    assert REDACTOR.text(text) is text


def test_a_secret_within_another_one_does_not_leave_its_rest_i83() -> None:
    redactor = Redactor(["abcdefgh", "abcdefghIJKLMNOP", "GHabcdefghIJKLMNOPQR"])

    for secret in ("abcdefgh", "abcdefghIJKLMNOP", "GHabcdefghIJKLMNOPQR"):
        assert redactor.text(f"<{secret}>") == f"<{REDACTED}>"


def test_a_secret_read_with_the_end_of_its_line_is_known_without_it_i83() -> None:
    assert Redactor([" canary-canary\n"]).text("=canary-canary;") == f"={REDACTED};"


@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_without_secrets_only_names_count(secrets: list[str]) -> None:
    redactor = Redactor(secrets)

    assert redactor.text("anything") == "anything"
    assert redactor.fields({"a": "b", "password": "c"}) == {"a": "b", "password": REDACTED}


def test_a_short_secret_is_only_taken_out_where_it_is_all_there_is_i83() -> None:
    redactor = Redactor(["1234", "on"])

    assert redactor.text("on") == redactor.text("1234") == REDACTED
    assert redactor.text(base64.b64encode(b"1234").decode()) == REDACTED
    assert redactor.text("31323334") == REDACTED
    assert redactor.text("on and on, 12345") == "on and on, 12345"
    line = line_of(AT, 1, "on", [("a", ["on", "one"]), ("on", 1)], redactor=redactor)
    read = record_in(line)
    assert {name: read[name] for name in ("event", "a", REDACTED)} == {
        "event": REDACTED,
        "a": [REDACTED, "one"],
        REDACTED: 1,
    }


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "SECRET",
        "client_secret",
        "ALPACA_SECRET",
        "secretKey",
        "password",
        "Passwd",
        "pass-phrase",
        "token",
        "auth_token",
        "authToken",
        "X-Token-Id",
        "Authorization",
        "proxy-authorization",
        "api_key",
        "API-Key",
        "apiKey",
        "APCA-API-KEY-ID",
        "apca-api-secret-key",
        "credentials",
        "private_key",
    ],
)
def test_what_lies_under_a_secret_name_is_taken_out_whatever_it_is_i83(name: str) -> None:
    assert is_secret_by_name(name)
    fields = {name: "x", "deep": [{name: [1, {"a": "b"}]}], "other": {"at": 1, name: 7}}

    line = line_of(AT, 1, "event", fields.items(), redactor=Redactor([]))

    read = record_in(line)
    assert {key: read[key] for key in fields} == {
        name: REDACTED,
        "deep": [{name: REDACTED}],
        "other": {"at": 1, name: REDACTED},
    }


@pytest.mark.parametrize(
    "name", ["tokens", "symbol", "key", "idempotency_key", "pass", "author", "api", "client_id"]
)
def test_other_names_are_no_secret(name: str) -> None:
    assert not is_secret_by_name(name)


def test_whether_there_is_a_secret_may_be_known() -> None:
    fields = {"has_secret": True, "token": None, "password": False}

    assert Redactor([]).fields(fields) == fields


def test_names_without_a_secret_are_remembered_but_not_without_end() -> None:
    redactor = Redactor([])

    for number in range(30_000):
        assert not redactor.may_be_in({f"field-{number}": 1}, b"")
    assert redactor.may_be_in({"field-1": 1, "secret": 1}, b"")
    assert redactor.may_be_in({"field-1": [[{"secret": 1}]]}, b"")


def test_our_own_keys_stay_whatever_the_secret_is() -> None:
    redactor = Redactor(["2024-01-02", "ledger", "0000000000"])
    fields = [("text", "on 2024-01-02"), ("n", 20_240_102), ("m", 10**12)]

    line = line_of(AT, 7, "of the ledger", fields, redactor=redactor)

    read = record_in(line)
    assert {name: read[name] for name in read if name != "crc"} == {
        "ts": "2024-01-02T14:30:00.000000000Z",
        "seq": 7,
        "event": f"of the {REDACTED}",
        "text": f"on {REDACTED}",
        "n": 20_240_102,
        "m": REDACTED,
    }


def test_two_keys_that_become_one_stay_two() -> None:
    fields = {KEY: 1, f"{KEY}": 1, SECRET: 2}

    assert REDACTOR.fields(fields) == {REDACTED: 1, f"{REDACTED}_": 2}


def test_a_line_that_redaction_makes_too_long_still_fits_i63_i83() -> None:
    redactor = Redactor(["canary"])
    text = "canary" * (MAX_LINE_BYTES // 6 - 50)

    line = line_of(AT, 1, "canary" * 1_000, [("text", text)], redactor=redactor)

    assert len(line) <= MAX_LINE_BYTES
    assert b"canary" not in line
    assert record_in(line)["oversize_bytes"] == len(line_of(AT, 1, "e", [("text", text)])) + (
        len(REDACTED) - 6
    ) * (MAX_LINE_BYTES // 6 - 50) + (len(str(record_in(line)["event"])) - 1)


def test_an_event_is_cut_behind_the_secret_and_not_in_it_i83() -> None:
    line = line_of(AT, 1, "x" * 120 + KEY, [], redactor=REDACTOR)

    assert record_in(line)["event"] == "x" * 120 + REDACTED[:8]


def test_it_does_not_show_what_it_knows_i83() -> None:
    shown = f"{REDACTOR!r} {REDACTOR}"

    assert [leaks_in(shown, secret) for secret in CANARIES] == [[], []]


def numbered_canary() -> st.SearchStrategy[str]:
    """A canary in some form, with something around it."""
    around = st.text(st.characters(codec=None), max_size=5) | st.sampled_from(["", " ", "/", '"'])
    form = st.sampled_from(sorted(FORMS))
    secret = st.sampled_from(CANARIES)
    return st.builds(
        lambda before, name, canary, after: before + FORMS[name](canary) + after,
        around,
        form,
        secret,
        around,
    )


CANARY = numbered_canary()
SCALARS = (
    CANARY
    | CANARY.map(lambda text: Path(text.replace("\0", "")))
    | st.text(max_size=5)
    | st.integers()
    | st.floats()
    | st.none()
    | st.decimals()
    | CANARY.map(lambda text: text.encode("utf-8", "surrogatepass"))
)
KEYS = CANARY | st.sampled_from(["at", "text", "secret", "tokens", *OWN_KEYS])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.frozensets(CANARY, max_size=2)
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(KEYS, VALUES, max_size=4)
EVENTS = st.just("event") | CANARY


def leaks(line: bytes) -> list[str]:
    """In which forms the canaries are in a line, as it is and as it is read back."""
    return [
        leak
        for secret in CANARIES
        for text in (line.decode(), *texts_in(json.loads(line)))
        for leak in leaks_in(text, secret)
    ]


def texts_in(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in texts_in(item)]
        case dict():
            return [text for item in value.items() for text in texts_in(list(item))]
        case _:
            return []


@given(event=EVENTS, fields=FIELDS)
def test_no_record_brings_a_secret_into_the_journal_i83(
    event: str, fields: dict[str, object]
) -> None:
    line = line_of(AT, 1, event, fields.items(), redactor=REDACTOR)

    assert leaks(line) == []
    read = record_in(line)
    assert set(OWN_KEYS) <= set(read)
    assert len(read) == len(fields) + len(OWN_KEYS)


@given(fields=FIELDS)
def test_the_quick_look_never_misses_what_the_slow_one_would_find_i83(
    fields: dict[str, object],
) -> None:
    line = line_of(AT, 1, "event", fields.items())
    content = {name: value for name, value in json.loads(line).items() if name not in OWN_KEYS}

    if not Redactor(CANARIES).may_be_in(content, line):
        assert REDACTOR.fields(content) == content


@given(fields=st.dictionaries(st.text(max_size=4), st.text(max_size=20) | st.integers()))
def test_records_without_secrets_are_the_same_line_with_a_redactor(
    fields: dict[str, object],
) -> None:
    assert line_of(AT, 1, "e", fields.items(), redactor=REDACTOR) == line_of(
        AT, 1, "e", fields.items()
    )


def test_a_journal_with_a_redactor_holds_no_secret_in_any_form_i83(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "app.jsonl"
    journal = JournalFile.open(path, at=AT, redactor=REDACTOR, file_bytes_max=5_000)

    for secret in CANARIES:
        for form in FORMS.values():
            written = form(secret)
            journal.append({"ts": AT, "event": "Refused", "reason": f"401: {written}."})
            journal.append({"ts": AT, "event": f"x{written}", written: {written: [written]}})
            journal.append({"ts": AT, "event": "Priced", "price": Decimal("1.50")})
    journal.close()

    files = list(path.parent.iterdir())
    assert len(files) > 2
    lines = [line for file in files for line in file.read_bytes().splitlines(keepends=True)]
    assert [leak for line in lines for leak in leaks(line)] == []
    assert list(findings_in(path)) == []
