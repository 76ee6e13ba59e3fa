"""Messages and states as a recording has them: written down, read again, and as digests."""

from __future__ import annotations

import re
import sys
import typing
import zlib
from collections.abc import Hashable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from hydra.actor import Actor, ChildSpec
from hydra.runtime.life import in_words
from hydra.runtime.recording import Recipe
from hydra.runtime.system import Hung, System
from messages.journal import WriteEntry
from messages.message import Message

OUR_PACKAGES = ("messages.", "supervisors.", "hydra.runtime.")
"""From nowhere else is a module loaded because a recording names a message of it."""
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")


class NotReadable(Exception):
    """A recorded message is of a type that is not known here, or no longer of that shape."""


def _plain(value: object) -> object:
    """What MessagePack does not know: by its name where it is one, else by its type alone."""
    if getattr(type(value), "is_port", False):
        return "<port>"  # the same recipe has another one in a replay
    if isinstance(value, ZoneInfo):
        return value.key
    if isinstance(value, Path):
        return value.as_posix()
    return f"<{type(value).__name__}>"


def _made(wanted: type, value: Any) -> Any:
    if wanted is ZoneInfo:
        return ZoneInfo(value)
    if issubclass(wanted, Path):
        return Path(value)
    raise TypeError(f"a {wanted.__name__} cannot be read from a recording")


_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode
_encode_sorted = msgspec.msgpack.Encoder(enc_hook=_plain, order="deterministic").encode
_encode_json = msgspec.json.Encoder(enc_hook=_plain, order="deterministic").encode


def encoded(value: object) -> bytes:
    """The value as MessagePack. Mappings keep their order: an actor may go by it."""
    return _encode(value)


def decoded(data: bytes, wanted: Any) -> Any:
    """What `encoded` was given. Raises `NotReadable`."""
    try:
        return _decoder(wanted).decode(data)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise NotReadable(f"{wanted}: {error}") from error


@cache
def _decoder(wanted: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(wanted, dec_hook=_made)


def digest_of(value: object) -> int:
    """32 bits of the content; 0 where it has none that can be written down.

    The same for the same content, whatever the hash seed and the order of mappings. Addresses in
    memory, as errors' texts may have them, are left out of it.
    """
    try:
        data = _encode_sorted(value)
        if b"0x" in data:
            data = without_addresses(_encode_json(value).decode()).encode()
        return zlib.crc32(data)
    except (TypeError, ValueError, msgspec.MsgspecError, OverflowError, RuntimeError):
        return 0


def body_of(message: object) -> bytes | None:
    """The message's content; None if it has what cannot be read again, as recipes of actors do."""
    if not _is_readable(cast("Hashable", type(message))):
        return None
    if isinstance(message, Hung):
        message = Hung(message.incarnation, message.busy_ns, None)
    elif isinstance(message, WriteEntry):
        message = msgspec.structs.replace(message, fields={})  # for the journal, which has it
    try:
        return _encode(message)
    except (TypeError, ValueError, msgspec.MsgspecError, OverflowError, RuntimeError):
        return None


@cache
def _is_readable(kind: Hashable) -> bool:
    """Whether every field says what it holds. (`object` does: whatever the journal can write.)"""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return False
    try:
        hints = typing.get_type_hints(kind)
        _decoder(kind)
    except (TypeError, NameError):
        return False
    return Any not in hints.values()


def message_of(module: str, name: str, body: bytes) -> Any:
    """The message that was written down, by its type. Raises `NotReadable`."""
    return decoded(body, type_named(module, name))


@cache
def type_named(module: str, name: str) -> type:
    """The message's class. Raises `NotReadable`."""
    if module not in sys.modules and module.startswith(OUR_PACKAGES):
        try:
            import_module(module)
        except ImportError as error:
            raise NotReadable(f"{name}: {error}") from error
    for kind in (*_all_below(Message), *_all_below(System)):
        if kind.__module__ == module and kind.__qualname__ == name:
            return kind
    raise NotReadable(f"{name} of {module} is no message that is known here")


def _all_below(kind: type) -> Iterator[type]:
    below: list[type] = kind.__subclasses__()
    for each in below:
        yield each
        yield from _all_below(each)


def recipe_of(message: object) -> Recipe | None:
    """The actor's recipe that the message is about, as far as it can be written down."""
    spec = getattr(message, "spec", None)
    if not isinstance(spec, ChildSpec):
        return None
    values = dict[str, bytes]()
    for name, value in spec.args.items():
        body = body_of(value)
        if body is not None and _is_read_again(body, value):
            values[name] = body
    return Recipe(spec.name, digest_of(spec), values)


def _is_read_again(body: bytes, value: object) -> bool:
    try:
        return digest_of(decoded(body, type(value))) == digest_of(value)
    except NotReadable:
        return False


def recipe_from(recipe: Recipe, known: ChildSpec) -> ChildSpec:
    """The recipe that was meant, made of the one that the configuration has. Raises `NotReadable`
    if that is not the same one otherwise.
    """
    args = dict(known.args)
    for name, body in recipe.values.items():
        args[name] = decoded(body, type(args.get(name)))
    spec = msgspec.structs.replace(known, args=args)
    if digest_of(spec) != recipe.digest:
        raise NotReadable(f"the recipe of {recipe.name} is not that of the configuration")
    return spec


def state_text(actor: Actor[Any]) -> str:
    """An actor's view of its state as canonical JSON. Addresses in memory are left out of it: they
    are the machine's, not the actor's.
    """
    try:
        text = _encode_json(dict(actor.state_view())).decode()
    except Exception as error:  # a view that fails is a state too, and the same in a replay
        text = f"no view: {in_words(error)}"
    return without_addresses(text)


def without_addresses(text: str) -> str:
    """The text, with addresses in memory made alike."""
    return _ADDRESS.sub("0x", text)
