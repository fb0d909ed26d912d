"""What a person's browser does with Home Assistant, over its REST and WebSocket API."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
)
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from json import loads
from typing import Any, Final, Self

from aiohttp import ClientSession, ClientTimeout, ClientWebSocketResponse, hdrs
from yarl import URL

type Json = Any
"""A parsed reply; what is in it is for the caller to say."""

_TIMEOUT: Final = ClientTimeout(total=60)
_POLL_INTERVAL: Final = 0.05
_ENTRIES: Final = "api/config/config_entries/entry"
_FLOWS: Final = "api/config/config_entries/flow"
_OPTIONS_FLOWS: Final = "api/config/config_entries/options/flow"
_FIX_FLOWS: Final = "api/repairs/issues/fix"


class RefusedError(Exception):
    """Home Assistant answered with something else than success."""


@dataclass(frozen=True, slots=True)
class Login:
    """The person who owns a Home Assistant."""

    name: str = "Developer"
    username: str = "developer"
    password: str = "developer"


@dataclass(frozen=True, slots=True)
class Home:
    """What a person tells a new Home Assistant, so that it asks nobody where it is."""

    location_name: str = "Home"
    latitude: float = 52.37
    longitude: float = 4.89
    elevation: int = 0
    time_zone: str = "UTC"
    unit_system: str = "metric"
    country: str = "NL"
    currency: str = "EUR"
    language: str = "en"


async def eventually[T](probe: Callable[[], Awaitable[T]], *, within: float = 15) -> T:
    """Return the first truthy answer of a probe; fail when there is none in time."""
    answer: T | None = None
    try:
        async with asyncio.timeout(within):
            while not (answer := await probe()):
                await asyncio.sleep(_POLL_INTERVAL)
    except TimeoutError:
        raise TimeoutError(f"still {answer!r} after {within} s") from None
    return answer


class Client:
    """One person's browser: nobody's at first, then of who onboarded or logged in."""

    def __init__(self, url: URL) -> None:
        """Remember where to connect to; nobody is logged in yet."""
        self.url = url
        self._access_token: str | None = None
        self._session = ClientSession(timeout=_TIMEOUT)

    async def __aenter__(self) -> Self:
        """Take it as it is."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._session.close()

    # How a person comes in.

    async def is_new(self) -> bool:
        """Return whether nobody owns this Home Assistant yet."""
        try:
            steps = await self.get("api/onboarding")
        except RefusedError:
            # Once all steps are done, nothing answers there.
            return False
        return not any(each["done"] for each in steps if each["step"] == "user")

    async def onboard(self, login: Login, home: Home) -> None:
        """Go through the onboarding of a new Home Assistant."""
        client_id = f"{self.url}/"
        created = await self.post(
            "api/onboarding/users",
            {**asdict(login), "client_id": client_id, "language": home.language},
        )
        await self._redeem(created["auth_code"])
        await self.command("config/core/update", **asdict(home))
        await self.post("api/onboarding/analytics")
        await self.post(
            "api/onboarding/integration",
            {"client_id": client_id, "redirect_uri": client_id},
        )

    async def log_in(self, login: Login) -> None:
        """Come in through the login form."""
        client_id = f"{self.url}/"
        form = await self.post(
            "auth/login_flow",
            {
                "client_id": client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": client_id,
            },
        )
        done = await self.post(
            f"auth/login_flow/{form['flow_id']}",
            {
                "client_id": client_id,
                "username": login.username,
                "password": login.password,
            },
        )
        await self._redeem(done["result"])

    async def _redeem(self, auth_code: str) -> None:
        tokens = loads(
            await self.request(
                hdrs.METH_POST,
                "auth/token",
                form={
                    "grant_type": "authorization_code",
                    "code": auth_code,
                    "client_id": f"{self.url}/",
                },
            )
        )
        self._access_token = tokens["access_token"]

    # How it asks.

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Json = None,
        form: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send one REST request and return the body of its success."""
        headers = (
            {hdrs.AUTHORIZATION: f"Bearer {self._access_token}"}
            if self._access_token
            else {}
        )
        async with self._session.request(
            method, self.url.joinpath(path), json=json, data=form, headers=headers
        ) as response:
            body = await response.read()
            if not response.ok:
                text = body.decode(errors="replace")
                raise RefusedError(f"{method} {path}: {response.status} {text}")
            return body

    async def get(self, path: str) -> Json:
        """Get something that is JSON."""
        return loads(await self.request(hdrs.METH_GET, path))

    async def post(self, path: str, json: Json = None) -> Json:
        """Post JSON and return what came back."""
        return loads(await self.request(hdrs.METH_POST, path, json=json))

    async def command(self, kind: str, **fields: Json) -> Json:
        """Send one WebSocket command and return its result."""
        async with self._websocket() as websocket:
            return await _ask(websocket, kind, fields)

    async def events(self, kind: str, **fields: Json) -> AsyncGenerator[Json]:
        """Send one WebSocket command and give the events that follow its result."""
        async with self._websocket() as websocket:
            await _ask(websocket, kind, fields)
            while True:
                yield (await websocket.receive_json())["event"]

    @asynccontextmanager
    async def _websocket(self) -> AsyncIterator[ClientWebSocketResponse]:
        """Open a WebSocket of its own: no command minds a restart in between."""
        async with self._session.ws_connect(
            self.url / "api/websocket", max_msg_size=0
        ) as websocket:
            await websocket.receive_json()
            await websocket.send_json(
                {"type": "auth", "access_token": self._access_token}
            )
            reply = await websocket.receive_json()
            if reply["type"] != "auth_ok":
                raise RefusedError(f"WebSocket: {reply}")
            yield websocket

    # What it asks for.

    async def is_running(self) -> bool:
        """Return whether everything is set up."""
        state = await self.get("api/core/state")
        return bool(state["state"] == "RUNNING")

    async def start_flow(self, domain: str, entry_id: str | None = None) -> Json:
        """Start to add an entry, or to reconfigure one; return the first form."""
        entry = {} if entry_id is None else {"entry_id": entry_id}
        return await self.post(_FLOWS, {"handler": domain, **entry})

    async def form(self, flow_id: str) -> Json:
        """Return the form at which a flow waits."""
        return await self.get(f"{_FLOWS}/{flow_id}")

    async def submit(self, flow_id: str, answers: Mapping[str, Json]) -> Json:
        """Fill in the form of a flow and return what follows."""
        return await self.post(f"{_FLOWS}/{flow_id}", answers)

    async def set_options(self, entry_id: str, answers: Mapping[str, Json]) -> Json:
        """Fill in the options of an entry and return what follows."""
        form = await self.post(_OPTIONS_FLOWS, {"handler": entry_id})
        return await self.post(f"{_OPTIONS_FLOWS}/{form['flow_id']}", answers)

    async def flows(self, domain: str) -> list[Json]:
        """Return the flows that wait for a person, such as a reauth."""
        flows = await self.command("config_entries/flow/progress")
        return [each for each in flows if each["handler"] == domain]

    async def entries(self, domain: str) -> list[Json]:
        """Return the config entries of an integration."""
        entries: list[Json] = await self.command("config_entries/get", domain=domain)
        return entries

    async def reload(self, entry_id: str) -> None:
        """Reload an entry and wait until it is set up again, or fails to be."""
        await self.post(f"{_ENTRIES}/{entry_id}/reload")

    async def remove(self, entry_id: str) -> None:
        """Remove an entry."""
        await self.request(hdrs.METH_DELETE, f"{_ENTRIES}/{entry_id}")

    async def states(self) -> dict[str, Json]:
        """Return every state by its entity id."""
        states = await self.get("api/states")
        return {each["entity_id"]: each for each in states}

    async def entities(self, entry_id: str) -> list[Json]:
        """Return what the entity registry knows of an entry."""
        entities = await self.command("config/entity_registry/list")
        return [each for each in entities if each["config_entry_id"] == entry_id]

    async def devices(self, entry_id: str) -> list[Json]:
        """Return what the device registry knows of an entry."""
        devices = await self.command("config/device_registry/list")
        return [each for each in devices if each["config_entry_id"] == entry_id]

    async def call(self, domain: str, service: str, **data: Json) -> None:
        """Perform an action and wait until it is done."""
        await self.post(f"api/services/{domain}/{service}", data)

    async def render(self, template: str) -> str:
        """Render a template, the way a dashboard would show something."""
        body = await self.request(
            hdrs.METH_POST, "api/template", json={"template": template}
        )
        return body.decode()

    async def texts(self, language: str, category: str, domain: str) -> dict[str, str]:
        """Return the texts of an integration as the frontend gets them."""
        found = await self.command(
            "frontend/get_translations",
            language=language,
            category=category,
            integration=[domain],
        )
        resources: dict[str, str] = found["resources"]
        return resources

    async def diagnostics(self, entry_id: str) -> str:
        """Download the diagnostics of an entry: the file that a person attaches."""
        body = await self.request(
            hdrs.METH_GET, f"api/diagnostics/config_entry/{entry_id}"
        )
        return body.decode()

    async def history(self, entity_id: str, since: datetime) -> list[str]:
        """Return the states that an entity had, as the recorder keeps them."""
        recorded = await self.command(
            "history/history_during_period",
            start_time=since.isoformat(),
            entity_ids=[entity_id],
            minimal_response=True,
            no_attributes=True,
        )
        return [each["s"] for each in recorded.get(entity_id, [])]

    async def statistics(self) -> dict[str, Json]:
        """Return what long-term statistics are kept of, by their ids."""
        kept = await self.command("recorder/list_statistic_ids")
        return {each["statistic_id"]: each for each in kept}

    async def hourly(
        self, statistic_ids: Iterable[str], since: datetime
    ) -> dict[str, list[Json]]:
        """Return the hours of long-term statistics, by their ids."""
        hours: dict[str, list[Json]] = await self.command(
            "recorder/statistics_during_period",
            start_time=since.isoformat(),
            statistic_ids=[*statistic_ids],
            period="hour",
            types=["state", "sum"],
        )
        return hours

    async def issues(self, domain: str) -> list[Json]:
        """Return the repairs that an integration asks for."""
        listed = await self.command("repairs/list_issues")
        return [each for each in listed["issues"] if each["domain"] == domain]

    async def start_fix(self, issue: Json) -> Json:
        """Start to fix what a repair asks for; return the first form."""
        about = {"handler": issue["domain"], "issue_id": issue["issue_id"]}
        return await self.post(_FIX_FLOWS, about)

    async def agree(self, form: Json) -> Json:
        """Agree to what a form of a repair says; return what follows."""
        return await self.post(f"{_FIX_FLOWS}/{form['flow_id']}", {})

    async def system_health(self, domain: str) -> dict[str, Json]:
        """Return what an integration says of itself on the system health page."""
        info: dict[str, Json] = {}
        async with aclosing(self.events("system_health/info")) as events:
            async for event in events:
                if event["type"] == "initial":
                    info = event["data"].get(domain, {}).get("info", {})
                elif event["type"] == "finish":
                    break
                elif event["domain"] == domain:
                    info[event["key"]] = event.get("data", event.get("error"))
        return info


async def _ask(
    websocket: ClientWebSocketResponse, kind: str, fields: Mapping[str, Json]
) -> Json:
    await websocket.send_json({**fields, "id": 1, "type": kind})
    reply = await websocket.receive_json()
    if not reply["success"]:
        raise RefusedError(f"{kind}: {reply['error']}")
    return reply["result"]
