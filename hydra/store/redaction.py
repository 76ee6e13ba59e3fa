"""Secrets are taken out of what is written, in every form that they are likely to take (I83)."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

import orjson

REDACTED = "[redacted]"
SEARCHED_CHARACTERS_MIN = 6
"""A shorter secret would be found in the middle of ordinary words: it is only taken out where it
is all there is, so that text stays readable. Nobody should have one so short."""


class Redactor:
    """Knows the secrets, and takes them out of text and records.

    A secret is known plain, in base64 (both alphabets, wherever in the encoded text it begins),
    percent-encoded, in hex, and as JSON or Python would quote it. What lies under a key that is by
    its name secret goes too, whoever's secret it is.
    """

    __slots__ = ("_encoded", "_forms", "_innocent", "_needle", "_whole")

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {text for secret in secrets for text in (secret, secret.strip()) if text}
        long = {secret for secret in known if len(secret) >= SEARCHED_CHARACTERS_MIN}
        self._whole = frozenset(
            form for secret in known - long for form in (*_quoted(secret), *_whole_codes(secret))
        )
        forms = {form for secret in long for form in (*_quoted(secret), *_codes(secret))}
        # A secret may be a part of another: the longer one first, or a piece of it would stay.
        self._forms = sorted(forms, key=lambda form: (-len(form), form))
        encoded = {form for secret in long for form in _base64_parts(secret)}
        self._encoded = [(form, _with_neighbours(form)) for form in sorted(encoded)]
        needles = [_in_a_line(form) for form in sorted(forms | encoded)]
        needles += [b'"%s"' % _in_a_line(form) for form in sorted(self._whole)]
        # One pattern looks for all of them in half the time that one after the other takes.
        self._needle = re.compile(b"|".join(map(re.escape, needles))) if needles else None
        self._innocent: set[str] = set()

    def text(self, text: str) -> str:
        """The text with `[redacted]` in the place of every secret."""
        if text in self._whole:
            return REDACTED
        for form in self._forms:
            if form in text:
                text = text.replace(form, REDACTED)
        for form, pattern in self._encoded:
            if form in text:
                text = pattern.sub(REDACTED, text)
        return text

    def fields(self, fields: Mapping[str, object]) -> dict[str, object]:
        """The same fields without secrets. Values are such as JSON knows."""
        clean: dict[str, object] = {}
        for name, value in fields.items():
            key = self.text(name)
            while key in clean:
                key += "_"
            clean[key] = self._under(name, value)
        return clean

    def may_be_in(self, fields: Mapping[str, object], line: bytes) -> bool:
        """Whether `self.fields` could find anything in these, which are written in `line` as JSON.

        Quick where it cannot, as most lines have no secret in them.
        """
        if self._needle is not None and self._needle.search(line) is not None:
            return True
        return self._has_secret_name(fields)

    def _has_secret_name(self, fields: Mapping[str, object]) -> bool:
        if not self._innocent.issuperset(fields):
            if any(is_secret_by_name(name) for name in fields):
                return True
            if len(self._innocent) > _NAMES_REMEMBERED:
                self._innocent.clear()
            self._innocent.update(fields)
        for value in fields.values():
            kind = type(value)
            if (kind is dict or kind is list) and self._has_secret_name_within(value):
                return True
        return False

    def _has_secret_name_within(self, value: object) -> bool:
        match value:
            case dict():
                return self._has_secret_name(value)
            case list():
                return any(self._has_secret_name_within(item) for item in value)
            case _:
                return False

    def _under(self, name: str, value: object) -> object:
        # Whether there is a secret at all is worth knowing, and tells nothing about it.
        if value is None or type(value) is bool:
            return value
        return REDACTED if is_secret_by_name(name) else self._value(value)

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case list():
                return [self._value(item) for item in value]
            case dict():
                return self.fields(value)
            case bool() | None:
                return value
            case _:
                return value if self.text(str(value)) == str(value) else REDACTED


def is_secret_by_name(name: str) -> bool:
    """Whether what bears this name is a secret: `api_key`, `APCA-API-SECRET-KEY`, `authToken`."""
    lowered = name.lower()
    joined = lowered.replace("-", "").replace("_", "").replace(" ", "")
    if any(word in joined for word in _SECRET_WORDS):
        return True
    # Not `tokens`: those are what a rate limiter counts.
    return joined.endswith("token") or "token" in _BETWEEN_WORDS.split(lowered)


_SECRET_WORDS = (
    "secret",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "apikey",
    "credential",
    "privatekey",
)
_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+", re.ASCII)
_NAMES_REMEMBERED = 10_000


def _quoted(secret: str) -> Iterator[str]:
    """As it is, and as it looks inside a text that somebody quoted."""
    for text in (secret, secret.encode("utf-8", "backslashreplace").decode()):
        yield text
        yield repr(text)[1:-1]
        yield ascii(text)[1:-1]
        for once in _json_escaped(text):
            yield once
            yield from _json_escaped(once)


def _json_escaped(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        for form in (escaped, _UNICODE_ESCAPE.sub(_in_capitals, escaped)):
            yield form
            yield form.replace("/", "\\/")


_UNICODE_ESCAPE = re.compile(r"(?<=\\u)[0-9a-f]{4}")


def _in_capitals(escape: re.Match[str]) -> str:
    return escape[0].upper()


def _codes(secret: str) -> Iterator[str]:
    """Percent-encoded, and in hex."""
    raw = _bytes_of(secret)
    for percent in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield percent
        yield _PERCENT.sub(lambda match: match[0].lower(), percent)
    yield raw.hex()
    yield raw.hex().upper()


_PERCENT = re.compile(r"%[0-9A-F]{2}")


def _whole_codes(secret: str) -> Iterator[str]:
    raw = _bytes_of(secret)
    yield from _codes(secret)
    for encoded in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        yield encoded
        yield encoded.rstrip("=")


def _base64_parts(secret: str) -> Iterator[str]:
    """What base64 makes of the secret whatever lies before and behind it, for each alignment."""
    raw = _bytes_of(secret)
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw).decode()
        shared = {0: 0, 1: 3, 2: 2}[(before + len(raw)) % 3]  # with padding
        part = encoded[{0: 0, 1: 2, 2: 3}[before] : len(encoded) - shared]
        yield part
        yield part.translate(_URL_SAFE)


_URL_SAFE = str.maketrans("+/", "-_")


def _with_neighbours(part: str) -> re.Pattern[str]:
    # The characters beside it hold bits of the secret too: up to six of its letters' bits.
    letter = "[A-Za-z0-9+/_-]"
    return re.compile(f"{letter}{{0,3}}{re.escape(part)}{letter}?={{0,2}}")


def _bytes_of(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")


def _in_a_line(form: str) -> bytes:
    return orjson.dumps(form.encode("utf-8", "backslashreplace").decode())[1:-1]
