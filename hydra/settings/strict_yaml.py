"""YAML in which nothing changes its meaning: text, lists and sections, each with its line.

The events of libyaml's parser are taken as they come; nothing is resolved or constructed. So `ON`
and `010` stay the text they are until the schema says what is wanted there, and anchors, tags and
repeated keys, which a composed document no longer shows, can be refused.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from hydra.settings.errors import Loc, shown

SIZE_MAX = 256 * 1024
DEPTH_MAX = 16
NODES_MAX = 10_000

NULLS = frozenset({"", "~", "null", "Null", "NULL"})

REPORTED: Final = object()
"""Stands for a value that already has a problem of its own: the schema need not complain."""


class Quoted(str):
    """A scalar that stood in quotes (or was a block): text, even if it looks like a number."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong at `loc`. `line` is None where the file as a whole is meant."""

    loc: Loc
    line: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Document:
    """One file as far as it could be read.

    `data` holds dicts, lists and text, None where no value is given, and REPORTED. It is itself
    None if the file could not be read to its end. `lines` has the line of every key and list item.
    """

    data: Mapping[str, object] | None
    lines: Mapping[Loc, int]
    problems: tuple[Problem, ...]

    def line_of(self, loc: Loc) -> int:
        """The line of that place or, if it is absent, of what it should have been in."""
        while loc and loc not in self.lines:
            loc = loc[:-1]
        return self.lines.get(loc, 1)


def read_document(path: Path) -> Document:
    """Read and parse one file. Whatever is wrong with it is in the document's problems."""
    try:
        text = _decoded(_read(path))
    except _Unreadable as error:
        return Document(None, {}, (Problem((), error.line, error.message),))
    return parsed(text)


def parsed(text: str) -> Document:
    """Parse the text of a file, of which every line is printable."""
    reader = _Reader(text)
    try:
        data = reader.document()
    except _Unreadable as error:
        problems = (*reader.problems, Problem((), error.line, error.message))
        return Document(None, reader.lines, problems)
    if not text.endswith("\n"):
        # An editor half-way through saving leaves `seconds: 6` where `seconds: 60` is meant.
        reader.problems.append(
            Problem((), text.count("\n") + 1, "the last line has no end; save the file whole")
        )
    return Document(data, reader.lines, tuple(reader.problems))


class _Unreadable(Exception):
    """The file ends here for us: what follows cannot be understood."""

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def _read(path: Path) -> bytes:
    try:
        # Opening a pipe for reading would wait for a writer; O_NONBLOCK does not.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _refuse_unless_small_file(os.fstat(descriptor))
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                content = stream.read(SIZE_MAX + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise _Unreadable(None, "no such file; it is needed") from None
    except OSError as error:
        raise _Unreadable(None, f"cannot be read: {error.strerror or error}") from error
    if len(content) > SIZE_MAX:
        raise _Unreadable(None, f"grew while being read, at most {SIZE_MAX} bytes are allowed")
    return content


def _refuse_unless_small_file(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _Unreadable(None, "is not a regular file")
    if status.st_size > SIZE_MAX:
        raise _Unreadable(None, f"is {status.st_size} bytes long, at most {SIZE_MAX} are allowed")


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Unreadable(line, f"byte 0x{content[error.start]:02x} is not UTF-8 text") from error
    for number, line_text in enumerate(text.split("\n"), start=1):
        if not line_text.isprintable():
            odd = next(character for character in line_text if not character.isprintable())
            raise _Unreadable(number, f"{_named(odd)} is not allowed")
    return text


def _named(odd: str) -> str:
    match odd:
        case "\t":
            return "a tab (indent with spaces)"
        case "\r":
            return "a carriage return (save the file with LF line ends)"
        case "\ufeff":
            return "a byte order mark (save the file as UTF-8 without one)"
        case _:
            return f"character U+{ord(odd):04X}"


class _Reader:
    """Turns the parser's events into data, and notes what is wrong on the way."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Loc, int] = {}
        self.problems: list[Problem] = []
        self._parser = yaml.CSafeLoader(text)
        self._nodes = 0

    def document(self) -> Mapping[str, object]:
        self._next()
        start = self._next()
        if not isinstance(start, yaml.DocumentStartEvent):
            raise _Unreadable(1, "nothing is in this file; its settings are needed")
        if start.version is not None or start.tags is not None:
            raise _Unreadable(_line(start), "YAML directives (%) are not allowed")
        data = self._value(self._next(), ())
        self._next()
        after = self._next()
        if not isinstance(after, yaml.StreamEndEvent):
            raise _Unreadable(_line(after), "a second document starts here; a file has one")
        if not isinstance(data, dict):
            raise _Unreadable(_line(start), "keys and values are wanted at the top of this file")
        return data

    def _next(self) -> yaml.Event:
        try:
            event = self._parser.get_event()
        except yaml.MarkedYAMLError as error:
            raise _Unreadable(*_said(error)) from error
        assert event is not None  # nobody asks beyond the end of the stream
        return event

    def _value(self, event: yaml.Event, loc: Loc) -> object:
        self._count(event, len(loc) + 1)
        self._refuse_anchor_and_tag(event, loc)
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event, loc)
            case yaml.SequenceStartEvent():
                return self._sequence(loc)
            case yaml.MappingStartEvent():
                return self._mapping(loc)
            case _:
                self._note(event, loc, "aliases (*) are not allowed; write the value out")
                return REPORTED

    def _scalar(self, event: yaml.ScalarEvent, loc: Loc) -> object:
        text: str = event.value
        is_plain = not event.style
        if is_plain and text in NULLS:
            return None
        if not text.isprintable():
            self._note(event, loc, f"{shown(text)} has characters that are not allowed")
            return REPORTED
        return text if is_plain else Quoted(text)

    def _sequence(self, loc: Loc) -> list[object]:
        items: list[object] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            inner = (*loc, len(items))
            self.lines.setdefault(inner, _line(event))
            items.append(self._value(event, inner))
        return items

    def _mapping(self, loc: Loc) -> dict[str, object]:
        entries: dict[str, object] = {}
        first_lines: dict[str, int] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, loc)
            inner = (*loc, key)
            line = _line(event)
            self.lines.setdefault(inner, line)
            if key in first_lines:
                self._note(event, inner, f"is here twice, first on line {first_lines[key]}")
            first_lines.setdefault(key, line)
            value = self._value(self._next(), inner)
            if key == "<<":
                self._note(event, inner, "merge keys are not allowed; write the values out")
            else:
                entries.setdefault(key, value)
        return entries

    def _key(self, event: yaml.Event, loc: Loc) -> str:
        self._count(event, len(loc) + 2)
        if not isinstance(event, yaml.ScalarEvent):
            raise _Unreadable(_line(event), "a key must be text")
        self._refuse_anchor_and_tag(event, (*loc, event.value))
        return str(event.value)

    def _count(self, event: yaml.Event, depth: int) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise _Unreadable(_line(event), f"more than {NODES_MAX} keys and values")
        if depth > DEPTH_MAX:
            raise _Unreadable(_line(event), f"nested more than {DEPTH_MAX} deep")

    def _refuse_anchor_and_tag(self, event: yaml.Event, loc: Loc) -> None:
        if not isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
            return
        if event.anchor is not None:
            self._note(event, loc, "anchors (&) are not allowed; write the value out")
        if event.tag is not None:
            self._note(event, loc, "tags (!) are not allowed; write the bare value")

    def _note(self, event: yaml.Event, loc: Loc, message: str) -> None:
        self.problems.append(Problem(loc, _line(event), message))


def _said(error: yaml.MarkedYAMLError) -> tuple[int | None, str]:
    """Where and why the parser gave up; and where that began, if it was further up."""
    mark, start = error.problem_mark or error.context_mark, error.context_mark
    said = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return None, f"not YAML: {said}"
    if start is None or start.line == mark.line:
        return mark.line + 1, f"not YAML: {said}"
    return mark.line + 1, f"not YAML: {said} (begun on line {start.line + 1})"


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return 1 if mark is None else mark.line + 1
