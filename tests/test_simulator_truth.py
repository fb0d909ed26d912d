"""The simulated gateway answers as the real ones were recorded to answer."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
import json
import re
from typing import Any, Final

from aiohttp import ClientSession, DummyCookieJar, hdrs
import pytest
from yarl import URL

from tests.recordings import SITES, Exchange, Recording, load
from tests.simulator import Gateway

pytestmark = pytest.mark.usefixtures("socket_enabled")

ALL: Final = [(server, site) for server, sites in SITES.items() for site in sites]

# Server, site, name of the exchange (* for anything) and why the simulator does
# not answer like it.
NOT_COVERED: Final = (
    ("*", "spending", "chat with *", "the simulator has no models, and only GET"),
    (
        "*",
        "spending",
        "after: account /api/log/self[?]p=0*",
        "a line of a real chat tells its time, price and way through the gateway",
    ),
    (
        "new_api_rc21",
        "spending",
        "after: account /api/token/*",
        "there a chat was booked in the second after it was answered",
    ),
    (
        "one_hub",
        "usd",
        "public /api/prices",
        "One Hub's price list has hundreds of models that are not offered",
    ),
)

# What a chat of 1000 and 500 tokens with gpt-4o cost on the recorded sites.
CHAT_PRICES: Final = {"new_api": 3_750, "one_api": 7_500, "one_hub": 6_250}

HEADERS_THAT_MATTER: Final = (
    "Auth-Version",
    "Cache-Control",
    "Cache-Version",
    "Content-Type",
    "Location",
    "Retry-After",
    "X-New-Api-Version",
)

# Fields that differ from start to start, or that nobody reads.
FIELDS_ASIDE: Final = frozenset({"SafeKeyWords", "start_time"})

# Lists that come in any order: their path, and the field that names an entry.
ANY_ORDER: Final = (
    ("/v1/models", "id"),
    ("/api/pricing", "model_name"),
    ("/api/pricing", "name"),
    ("/api/user/models", None),
    ("/api/user/available_models", None),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """What of a reply has to be right."""

    status: int
    headers: dict[str, str]
    body: Any

    @classmethod
    def of(cls, path: str, status: int, headers: dict[str, str], body: str) -> Answered:
        """Leave out of a reply what may differ."""
        return cls(
            status,
            {name: headers[name] for name in HEADERS_THAT_MATTER if name in headers}
            | {"has a request id": str("X-Oneapi-Request-Id" in headers)},
            normal(path, body, headers.get("Content-Type", "")),
        )


def normal(path: str, body: str, content_type: str) -> Any:
    """Return a body without what may differ."""
    body = re.sub(r"request id: \w+", "request id: *", body)
    if not body or "json" not in content_type:
        return body
    return _normal(path.partition("?")[0], json.loads(body))


def _normal(path: str, value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _normal(path, each)
                for name, each in value.items()
                if name not in FIELDS_ASIDE
            }
        case list():
            return _sorted_if_any_order(path, [_normal(path, each) for each in value])
    return value


def _sorted_if_any_order(path: str, values: list[Any]) -> list[Any]:
    for unordered, field in ANY_ORDER:
        if path != unordered or not values:
            continue
        if field is None and isinstance(values[0], str):
            return sorted(values)
        if isinstance(values[0], dict) and field in values[0]:
            for each in values:
                # Stands in the first row, whichever that is.
                each.pop("pricing_version", None)
            return sorted(values, key=lambda each: (each[field], json.dumps(each)))
    return values


@dataclass(slots=True)
class Clock:
    """A clock that the test turns."""

    now: float

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def answered_at(exchange: Exchange) -> float:
    """Return when the real server answered."""
    return parsedate_to_datetime(dict(exchange.headers)["Date"]).timestamp()


def recorded(exchange: Exchange) -> Answered:
    """Return what the real server answered."""
    return Answered.of(
        exchange.path, exchange.status, dict(exchange.headers), exchange.body
    )


async def asked(session: ClientSession, url: URL, exchange: Exchange) -> Answered:
    """Return what the simulator answers to the same question."""
    async with session.request(
        exchange.method,
        URL(f"{url}{exchange.path}", encoded=True),
        headers={hdrs.ACCEPT_ENCODING: "identity"} | exchange.request_headers,
        allow_redirects=False,
    ) as reply:
        body = await reply.text()
        return Answered.of(exchange.path, reply.status, dict(reply.headers), body)


def reason_not_covered(recording: Recording, exchange: Exchange) -> str | None:
    """Return why the simulator need not answer like this."""
    for server, site, name, reason in NOT_COVERED:
        if (
            fnmatchcase(recording.server, server)
            and fnmatchcase(recording.site, site)
            and fnmatchcase(exchange.name, name)
        ):
            return reason
    return None


@pytest.mark.parametrize(("server", "site"), ALL)
async def test_answers_as_recorded(server: str, site: str) -> None:
    """Ask everything that was recorded, in the same order."""
    recording = load(server, site)
    clock = Clock(recording.recorded_at)
    gateway = Gateway.from_recording(recording, clock=clock)
    mistakes: list[str] = []
    covered = 0
    async with (
        gateway.serve() as url,
        ClientSession(cookie_jar=DummyCookieJar()) as session,
    ):
        if site == "limited":
            # The recorder had asked once whether the server was up.
            gateway.answer("/api/status")
        for exchange in recording.exchanges:
            clock.now = answered_at(exchange)
            if exchange.method == hdrs.METH_POST and exchange.status == 200:
                key = exchange.name.removeprefix("chat with ")
                gateway.spend(key, CHAT_PRICES[recording.family])
            answered = await asked(session, url, exchange)
            is_right = answered == recorded(exchange)
            covered += is_right
            if is_right is (reason_not_covered(recording, exchange) is None):
                continue
            wrong = difference(exchange, answered) or "passes, but is listed to fail"
            mistakes.append(f"{exchange.name}: {wrong}")
    print(f"{recording}: {covered}/{len(recording.exchanges)} covered")  # noqa: T201
    assert not mistakes, "\n".join(mistakes)


def difference(exchange: Exchange, answered: Answered) -> str:
    """Show where two replies part."""
    return "; ".join(_differences(asdict(recorded(exchange)), asdict(answered), ""))


def _differences(right: Any, wrong: Any, where: str) -> Iterator[str]:
    match right, wrong:
        case dict(), dict() if right.keys() == wrong.keys():
            for name in right:
                yield from _differences(right[name], wrong[name], f"{where}.{name}")
        case list(), list() if len(right) == len(wrong):
            for number, each in enumerate(right):
                yield from _differences(each, wrong[number], f"{where}[{number}]")
        case dict(), dict():
            names = [right.keys() - wrong.keys(), wrong.keys() - right.keys()]
            yield f"{where}: missing {names[0]}, too much {names[1]}"
        case _ if right != wrong:
            yield f"{where}: recorded {right!r}, simulated {wrong!r}"


def test_nearly_everything_is_covered() -> None:
    """Keep the list of what is not covered short."""
    exchanges = [
        (recording, exchange)
        for recording in (load(*each) for each in ALL)
        for exchange in recording.exchanges
    ]
    missing = [each for each in exchanges if reason_not_covered(*each)]
    total = len(exchanges)
    print(f"in all: {total - len(missing)}/{total} covered")  # noqa: T201

    assert len(missing) / total < 0.02
