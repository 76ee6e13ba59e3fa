"""What stands before every request: whose it is, where it was sent, and whether there is room."""

from collections.abc import Callable
from secrets import token_hex
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.budgets import MinuteBudget
from hydra.venues.simulated.server.rest.errors import is_data_path
from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.rest.settings import RestTerms

VENUE_HEADER = (b"x-hydra-venue", b"embedded; not real money, not real prices")
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
NO_KEYS_PAGE = "<html><head><title>401 Authorization Required</title></head><body></body></html>"

_OPEN_WITHOUT_KEYS = "/v1beta3/crypto/"


class Gate:
    """Lets through what is addressed to this machine, with the right keys, within the budget.

    Streams authenticate by messages of their own, so of them only the address is looked at.
    """

    def __init__(
        self, app: ASGIApp, *, keys: ApiKeys, terms: RestTerms, now: Callable[[], int]
    ) -> None:
        self._app = app
        self._keys = keys
        self._now = now
        self._trading = _budget(terms.trading_per_minute)
        self._data = _budget(terms.data_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not _is_addressed_here(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] = _path_with_encoded_slashes(scope)
        headers = Headers(scope=scope)
        extra = [VENUE_HEADER, (b"x-request-id", token_hex(16).encode())]
        refused = self._turned_away(path, headers)
        if refused is None:
            budget = self._data if is_data_path(path) else self._trading
            if budget is not None:
                spent = budget.spend(self._now())
                extra += spent.headers()
                if not spent.allowed:
                    refused = _too_many(path)
        answer = self._app if refused is None else refused
        await answer(scope, receive, _with_headers(send, extra))

    def _turned_away(self, path: str, headers: Headers) -> Response | None:
        if not _is_addressed_here(headers):
            return json_answer({"message": "forbidden."}, 403)
        key_id = headers.get("apca-api-key-id", "")
        secret = headers.get("apca-api-secret-key", "")
        if not key_id and not secret:
            if path.startswith(_OPEN_WITHOUT_KEYS):
                return None
            return Response(NO_KEYS_PAGE, 401, media_type="text/html")
        if not self._keys.fit(key_id, secret):
            return json_answer({"message": "unauthorized."}, 401)
        return None


def _budget(limit: int | None) -> MinuteBudget | None:
    return None if limit is None else MinuteBudget(limit)


def _is_addressed_here(headers: Headers) -> bool:
    """A page in a browser that was led to this port by a name of its own is not."""
    host = headers.get("host", "").lower()
    name, _, port = host.rpartition(":")
    return host in LOOPBACK_HOSTS or (name in LOOPBACK_HOSTS and port.isdigit())


def _path_with_encoded_slashes(scope: Scope) -> str:
    """The decoded path, but with %2F left as it came: BTC%2FUSD is one word of a path."""
    raw: bytes | None = scope.get("raw_path")
    if raw is None or b"%2" not in raw:
        return str(scope["path"])
    text = raw.decode("latin-1").partition("?")[0]
    return unquote(text.replace("%2F", "%252F").replace("%2f", "%252F"))


def _too_many(path: str) -> Response:
    if is_data_path(path):
        return json_answer({"message": "too many requests."}, 429)
    return json_answer({"code": 42910000, "message": "rate limit exceeded"}, 429)


def _with_headers(send: Send, extra: list[tuple[bytes, bytes]]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *extra]
        await send(message)

    return sending
