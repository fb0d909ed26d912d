"""Visits to sites that are made up from what is documented of their replies.

Where nothing odd is put into them, a client has to answer.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st

from .details import KIND, SPAN, Details
from .drawn import CLOCK, ID, MODELS, NAME, QUOTA, Raw, written
from .mutations import NUMBERS, VALUES
from .site import JSON, Headers, Reply
from .visit import KEY, Ask, Visit

_DATE: Final = ("Date", "Mon, 23 Nov 2026 08:13:58 GMT")
_NEW_API: Final = ("X-New-Api-Version", "v1.0.0-rc.24")
_MARKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "new_api": {"self_use_mode_enabled": False},
    "one_api": {"chat_link": ""},
    "veloera": {"check_in_enabled": True, "self_use_mode_enabled": False},
    "one_hub": {"chat_link": "", "PaymentUSDRate": 7.3},
    "unknown": {},
}
_ACCOUNT_MODELS: Final = {
    "one_api": "/api/user/available_models",
    "one_hub": "/api/available_model",
}
_DISPLAYS: Final = ("USD", "CNY", "TOKENS", "CUSTOM", True, False)

_EXPIRY: Final = st.sampled_from((CLOCK - 5000, CLOCK + 5000, CLOCK + 10**8))
_DIVISOR: Final = st.sampled_from(
    ("500000", "1000000", "700000", "1", "0.3", "123456.789", "5e+06", "0", "-1")
) | st.floats(1e-3, 1e9).map(repr)
_RATE: Final = st.sampled_from(("7.3", "1", "0", "150.37")) | st.floats(1e-3, 1e4).map(
    repr
)
_ODD: Final = st.sampled_from(
    (*NUMBERS, *(each for each in VALUES if len(each) < 5000))
)


def _says(data: Any, *headers: tuple[str, str]) -> Reply:
    said: Headers = (JSON, _DATE, *headers)
    return Reply(200, said, written(data).encode())


class World:
    """One site, its account and its keys, as drawn."""

    def __init__(self, draw: st.DrawFn) -> None:
        """Draw what everything else depends on."""
        self._draw = draw
        self.family = draw(st.sampled_from(tuple(_MARKS)))
        self._odd = draw(st.integers(0, 3)) == 0
        # Only New API knows display types.
        known = _DISPLAYS if self.family == "new_api" else (True, False)
        self.display = draw(st.sampled_from(known))
        self.divisor, self.rate = draw(_DIVISOR), draw(_RATE)
        self.keys = [self._key() for _ in range(draw(st.integers(1, 4)))]

    @property
    def is_sound(self) -> bool:
        """Whether all is as documented."""
        return not self._odd

    def _key(self) -> dict[str, Any]:
        draw = self._draw
        return {
            "id": draw(ID),
            "user_id": 2,
            "key": KEY.removeprefix("sk-"),
            "status": draw(st.integers(1, 5)),
            "name": draw(NAME),
            "expired_time": draw(_EXPIRY | st.just(-1)),
            "remain_quota": draw(QUOTA),
            "unlimited_quota": draw(st.booleans()),
            "used_quota": draw(QUOTA),
        }

    def said(self, data: Any, *headers: tuple[str, str]) -> Reply:
        """Return a reply, in an odd world perhaps with something odd in it."""
        if self._odd and self._draw(st.booleans()):
            data = self._spoiled(data)
        return _says(data, *headers)

    def _spoiled(self, data: Any) -> Any:
        inner = list(data) if isinstance(data, dict) else range(len(data))
        if not inner:
            return Raw(self._draw(_ODD))
        at = self._draw(st.sampled_from(list(inner)))
        new = data.copy()
        if isinstance(data[at], dict | list) and data[at] and self._draw(st.booleans()):
            new[at] = self._spoiled(data[at])
        elif isinstance(data, dict) and self._draw(st.integers(0, 4)) == 0:
            del new[at]
        else:
            new[at] = Raw(self._draw(_ODD))
        return new

    def status(self) -> Reply:
        """Return `/api/status` (5.1)."""
        data = {
            "system_name": self._draw(NAME),
            "version": "v0.6.8",
            "quota_per_unit": Raw(self.divisor),
            # So that somebody asks for it.
            "checkin_enabled": True,
            "uptime_kuma_enabled": True,
            **_MARKS[self.family],
        }
        if isinstance(self.display, bool):
            data["display_in_currency"] = self.display
        else:
            data["quota_display_type"] = self.display
            data["usd_exchange_rate"] = Raw(self.rate)
            data["custom_currency_exchange_rate"] = Raw(self.rate)
            data["custom_currency_symbol"] = self._draw(NAME)
        headers = (_NEW_API,) if self.family == "new_api" else ()
        return self.said({"success": True, "message": "", "data": data}, *headers)

    def account(self) -> dict[str, tuple[Reply, ...]]:
        """Return `/api/user/self` (6.1)."""
        draw = self._draw
        data = {
            "id": 2,
            "username": draw(NAME),
            "group": draw(NAME),
            "quota": draw(QUOTA),
            "used_quota": draw(QUOTA),
            "request_count": draw(ID),
        }
        return {"/api/user/self": (self.said({"success": True, "data": data}),)}

    def list_of_keys(self) -> dict[str, tuple[Reply, ...]]:
        """Return `/api/token/` (6.4)."""
        shape = self._draw(st.integers(0, 2))
        data: Any = self.keys
        if shape == 1:
            data = {
                "items": self.keys,
                "total": len({each["id"] for each in self.keys}),
            }
        elif shape == 2:
            data = {
                "data": self.keys,
                "total_count": len({each["id"] for each in self.keys}),
            }
        return {"/api/token/": (self.said({"success": True, "data": data}),)}

    def key(self) -> dict[str, tuple[Reply, ...]]:
        """Return what a site says to a key (4.3, 4.4, 4.6)."""
        key = self.keys[0]
        left, used = key["remain_quota"], key["used_quota"]
        limit = 1e8 if key["unlimited_quota"] else self._billed(left + used)
        expiry = max(key["expired_time"], 0)
        replies: dict[str, tuple[Reply, ...]] = {
            "/v1/dashboard/billing/subscription": (
                self.said({"hard_limit_usd": limit, "access_until": expiry}),
            ),
            "/v1/dashboard/billing/usage": (
                self.said({"total_usage": self._billed(used) * 100}),
            ),
        }
        if self.family == "new_api" and self._draw(st.booleans()):
            data = {
                "name": key["name"],
                "total_available": left,
                "total_used": used,
                "unlimited_quota": key["unlimited_quota"],
                "expires_at": expiry,
            }
            replies["/api/usage/token/"] = (self.said({"code": True, "data": data}),)
        return replies

    def _billed(self, raw: int) -> float:
        """Return what billing says for raw quota, in doubles as a server does (3.3)."""
        if self.display in ("TOKENS", False):
            return float(raw)
        divisor = float(self.divisor)
        dollars = raw / divisor if divisor else 0.0
        return dollars * float(self.rate) if self.display == "CNY" else dollars

    def key_models(self) -> dict[str, tuple[Reply, ...]]:
        """Return `/v1/models` (4.1)."""
        items = [{"id": each, "object": "model"} for each in self._draw(MODELS)]
        return {"/v1/models": (self.said({"object": "list", "data": items}),)}

    def account_models(self) -> dict[str, tuple[Reply, ...]]:
        """Return where the account's models are (6.2, 5.3)."""
        models = self._draw(MODELS)
        data: Any = models
        if self.family == "one_hub":
            data = {each: {"groups": ["default", "vip"]} for each in models}
        path = _ACCOUNT_MODELS.get(self.family, "/api/user/models")
        return {path: (self.said({"success": True, "data": data}),)}


_DETAILS: Final = (
    "spent",
    "usage_by_hour",
    "usage_by_day",
    "usage_by_key",
    "logged",
    "plans",
    "check_in",
    "pending_top_ups",
    "groups",
    "notice",
    "monitors",
)
"""Questions whose replies `details` makes, by the names of its methods."""


@st.composite
def _visits(draw: st.DrawFn) -> Visit:
    world = World(draw)
    details = Details(draw, world)
    questions = {
        "account": world.account,
        "keys": world.list_of_keys,
        "key": world.key,
        "key_models": world.key_models,
        "account_models": world.account_models,
        **{question: getattr(details, question) for question in _DETAILS},
    }
    status = world.status()
    asked = draw(st.lists(st.sampled_from(tuple(questions)), min_size=1, max_size=4))
    asks = tuple(
        Ask(
            question,
            questions[question](),
            wait=draw(st.sampled_from((0.0, 300.0, 4000.0))),
            listed=draw(st.booleans()),
            span=SPAN,
            kind=KIND,
            sound=world.is_sound,
        )
        for question in asked
    )
    return Visit(status, asks, CLOCK, user_id="2", account_id=2)


@cache
def visits() -> st.SearchStrategy[Visit]:
    """Return the strategy that draws visits."""
    return _visits()
