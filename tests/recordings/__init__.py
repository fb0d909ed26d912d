"""Replies of real gateways, carried with the tests: the truth to build against."""

from dataclasses import dataclass
from functools import cache
import gzip
import json
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent

_EVERY_FAMILY_HAS: Final = (
    "usd",
    "account_level",
    "unit_million",
    "unit_zero",
    "legacy_tokens",
    "closed",
    "limited",
    "spending",
)
_WITH_DISPLAY_TYPES: Final = (
    *_EVERY_FAMILY_HAS,
    "cny",
    "cny_account_level",
    "tokens",
    "custom",
)

SITES: Final[dict[str, tuple[str, ...]]] = {
    "new_api_main": _WITH_DISPLAY_TYPES,
    "new_api_rc21": _WITH_DISPLAY_TYPES,
    "new_api_0_9": _WITH_DISPLAY_TYPES,
    "one_api": _EVERY_FAMILY_HAS,
    "one_hub": _EVERY_FAMILY_HAS,
}
"""Every recorded server and the differently configured sites it was asked on."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the reply it got; `path` carries the query."""

    name: str
    method: str
    path: str
    request_headers: dict[str, str]
    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    def json(self) -> Any:
        """Parse the body of the reply."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Truth:
    """What stood in the server's database when it was asked; raw quota units."""

    users: dict[str, dict[str, Any]]
    keys: dict[str, dict[str, Any]]
    spending: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Recording:
    """All that one site of one server answered, within one minute of `recorded_at`."""

    server: str
    site: str
    family: str
    version: str
    recorded_at: int
    options: dict[str, str]
    environment: dict[str, str]
    exchanges: tuple[Exchange, ...]
    truth: Truth

    def __str__(self) -> str:
        """Name the recording as a test shows it."""
        return f"{self.server}-{self.site}"

    def find(self, name: str) -> Exchange:
        """Return the first exchange of this name; some were asked twice."""
        for exchange in self.exchanges:
            if exchange.name == name:
                return exchange
        raise LookupError(f"{self} has no {name!r}")


@cache
def load(server: str, site: str) -> Recording:
    """Return what `site` of `server` answered; do not change what you get."""
    recorded = _read(f"{server}/{site}.json.gz")
    return Recording(
        server=server,
        site=site,
        family=recorded["server"]["family"],
        version=recorded["server"]["version"],
        recorded_at=recorded["server"]["recorded_at"],
        options=recorded["site"]["options"],
        environment=recorded["site"].get("environment", {}),
        exchanges=tuple(_exchange(each) for each in recorded["exchanges"]),
        truth=_truth(server),
    )


@cache
def _truth(server: str) -> Truth:
    known = _read(f"{server}/truth.json.gz")
    return Truth(known["users"], known["keys"], known["spending"])


def _exchange(recorded: dict[str, Any]) -> Exchange:
    request, response = recorded["request"], recorded["response"]
    return Exchange(
        name=recorded["name"],
        method=request["method"],
        path=request["path"],
        request_headers=request["headers"],
        status=response["status"],
        headers=tuple((name, value) for name, value in response["headers"]),
        body=response["body"],
    )


def _read(name: str) -> Any:
    return json.loads(gzip.decompress((_FOLDER / name).read_bytes()))
