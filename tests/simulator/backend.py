"""A gateway without its network: people act, and requests are answered."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
import random
import string
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from .call import Call
from .dialects import Dialect, Route
from .limits import Bucket, Limiter, Rates
from .options import Options
from .plans import Offer, Subscription
from .records import LogRow
from .replies import Refused, Reply, html_reply, json_reply
from .world import Request, Reservation, World

_JSON_PREFIXES: Final = ("/v1", "/api", "/assets")
_REQUEST_ID_LETTERS: Final = string.ascii_letters + string.digits


class Backend:
    """A world behind a dialect; change `world`, `options`, `dialect` at any time."""

    def __init__(
        self,
        world: World,
        dialect: Dialect,
        options: Options | None = None,
        *,
        rates: Rates | None = None,
    ) -> None:
        """Set up a gateway that limits as its dialect does, unless told otherwise."""
        self.world = world
        self.dialect = dialect
        self.options = options or Options()
        self.limiter = Limiter(dialect.rates if rates is None else rates, world.clock)
        self._chance = random.Random(2)
        self._answered = 0

    # What an owner and the users do

    def configure(self, **changes: Any) -> None:
        """Change settings of the site, by the names in `Options`."""
        self.options = replace(self.options, **changes)

    def spend(
        self,
        key: str,
        quota: int,
        *,
        model: str = "gpt-4o",
        prompt_tokens: int = 1_000,
        completion_tokens: int = 500,
        at: int | None = None,
    ) -> LogRow:
        """Let a key cost something; no gateway refuses what is already running."""
        request = self._request(model, prompt_tokens, completion_tokens, at)
        self._begin_plans_anew()
        return self.world.spend(
            self.world.key(key), quota, request, accounting=self.dialect.accounting
        )

    def play(self, user: str, quota: int) -> LogRow:
        """Let a user try a model on the site itself, without any key."""
        request = self._request("gpt-4o", 1_000, 500, None)
        return self.world.play(self.world.user(user), quota, request)

    def reserve(self, key: str, quota: int) -> Reservation:
        """Let a key begin a request, for which this much is put aside."""
        self._begin_plans_anew()
        return self.world.reserve(
            self.world.key(key), quota, accounting=self.dialect.accounting
        )

    def settle(
        self,
        reservation: Reservation,
        quota: int,
        *,
        model: str = "gpt-4o",
        prompt_tokens: int = 1_000,
        completion_tokens: int = 500,
    ) -> LogRow:
        """Let a request end that has cost this much."""
        request = self._request(model, prompt_tokens, completion_tokens, None)
        return self.world.settle(reservation, quota, request)

    def refund(self, key: str, quota: int) -> LogRow:
        """Give back what a key had cost."""
        return self.world.refund(
            self.world.key(key), quota, accounting=self.dialect.accounting
        )

    def subscribe(
        self, user: str, offer: Offer, *, from_wallet: int = 0
    ) -> Subscription:
        """Let a user buy a plan, elsewhere or with money of the account."""
        return self.world.subscribe(user, offer, self._zone, from_wallet=from_wallet)

    def check_in(self, user: str, quota: int) -> None:
        """Let a user fetch the reward of the day that it is at the server."""
        today = datetime.fromtimestamp(self.world.now, UTC).astimezone(self._zone)
        self.world.check_in(user, quota, date=f"{today:%Y-%m-%d}")

    def announce(self, content: str, *, kind: str = "default") -> None:
        """Tell everybody something, on top of what was told before."""
        at = datetime.fromtimestamp(self.world.now, UTC)
        said = {
            "content": content,
            "publishDate": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "type": kind,
            "extra": "",
        }
        self.configure(announcements=(said, *self.options.announcements))

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.options.time_zone)

    def _begin_plans_anew(self) -> None:
        # Whoever uses a plan finds it reset.
        self.world.begin_plans_anew(self._zone, self.world.now)

    def _request(
        self, model: str, prompt_tokens: int, completion_tokens: int, at: int | None
    ) -> Request:
        return Request(
            model=model,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            at=at,
            logged=self.options.log_consumption,
            exported=self.options.data_export,
        )

    # Answering

    def answer(
        self,
        path_qs: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = hdrs.METH_GET,
        address: str = "127.0.0.1",
    ) -> Reply:
        """Answer a request without any HTTP."""
        url = URL(path_qs, encoded=True)
        return self._answer_url(method, url, CIMultiDict(headers or {}), address)[0]

    def _answer_url(
        self, method: str, url: URL, headers: Mapping[str, str], address: str
    ) -> tuple[Reply, tuple[Bucket, ...]]:
        if method != hdrs.METH_GET:
            return self._no_route(method, url.path)
        found = self._find(url.path)
        if found is None:
            if location := self._other_slash(url):
                return _moved(location), ()
            return self._no_route(method, url.path)
        route, parameter = found
        call = Call(
            world=self.world,
            options=self.options,
            dialect=self.dialect,
            path=url.path,
            query=url.query,
            headers=headers,
            address=address,
            request_id=self._request_id(),
            parameter=parameter,
        )
        if (refusal := self._limited(route.buckets)) is not None:
            return self._signed(refusal, call.request_id), route.buckets
        try:
            route.gate(call)
            reply = route.answer(call)
        except Refused as refused:
            reply = refused.reply
        else:
            if call.signed_in:
                reply = reply.with_headers(*self.dialect.signed_in_headers)
        return self._signed(reply, call.request_id), route.buckets

    def _find(self, path: str) -> tuple[Route, str] | None:
        """Return the route of a path and what stands for its parameter."""
        routes = self.dialect.routes
        if route := routes.get(path):
            return route, ""
        parent, _, last = path.rpartition("/")
        for template, route in routes.items():
            start, is_parameter, _ = template.partition("/:")
            if is_parameter and last and start == parent:
                return route, last
        return None

    def _other_slash(self, url: URL) -> str | None:
        """Return where the path would be found with one slash more or less."""
        path = url.path.removesuffix("/") if url.path.endswith("/") else f"{url.path}/"
        if path and self._find(path):
            return f"{path}?{url.raw_query_string}" if url.raw_query_string else path
        return None

    def _no_route(self, method: str, path: str) -> tuple[Reply, tuple[Bucket, ...]]:
        buckets = (Bucket.WEB,)
        request_id = self._request_id()
        if (refusal := self._limited(buckets)) is not None:
            return self._signed(refusal, request_id), buckets
        if path.startswith(_JSON_PREFIXES):
            error = {
                "message": f"Invalid URL ({method} {path})",
                "type": "invalid_request_error",
                **({"param": ""} if self.dialect.names_parameter else {}),
                "code": "",
            }
            reply = json_reply({"error": error}, 404)
            caching = "max-age=604800"
        else:
            reply = html_reply(self.dialect.page)
            caching = "no-cache"
        reply = reply.with_headers(
            ("Cache-Control", caching), *self.dialect.page_headers
        )
        return self._signed(reply, request_id), buckets

    def _limited(self, buckets: tuple[Bucket, ...]) -> Reply | None:
        """Count a call; return the refusal if it was one too many."""
        for bucket in buckets:
            if not self.limiter.take(bucket):
                reply = Reply(429)
                if self.dialect.sends_retry_after:
                    seconds = self.limiter.retry_after(bucket)
                    reply = reply.with_headers(("Retry-After", str(seconds)))
                return reply
        return None

    def _signed(self, reply: Reply, request_id: str) -> Reply:
        return reply.with_headers(
            *self.dialect.headers, ("X-Oneapi-Request-Id", request_id)
        )

    def _request_id(self) -> str:
        now = datetime.fromtimestamp(self.world.clock(), UTC)
        letters = "".join(self._chance.choices(_REQUEST_ID_LETTERS, k=8))
        self._answered += 1
        return f"{now:%Y%m%d%H%M%S}{self._answered:09}{letters}"


def _moved(location: str) -> Reply:
    page = f'<a href="{escape(location)}">Moved Permanently</a>.\n\n'
    moved = html_reply(page).with_headers(("Location", location))
    return replace(moved, status=301)
