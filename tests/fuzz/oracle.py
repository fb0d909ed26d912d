"""What replies justify, read without the client and by the documentation alone.

Each function returns what is wrong with an answer, in words; nothing where every
figure in it stands in a reply. Sections are those of gateway_api.md. An absent figure
is never a wrong one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from fractions import Fraction
import json
import re
from typing import Any, Final

from custom_components.new_api.gateway.models import Account, AccountKey, KeyState, Site
from custom_components.new_api.gateway.money import Unit

from .site import Reply, Served

_END_OF_TIME: Final = 253_402_300_799
_SENTINEL: Final = 100_000_000
_DAY: Final = 86_400.0

# Raw quota that a double of the billing endpoints tells to the unit.
_LARGEST: Final = 2**49

# What an amount may be rounded to where it never ends.
_ROUNDED: Final = Fraction(1, 2 * 10**12)

# What servers say in a refusal (2.1, 2.2), and what it says of the key.
_TEXTS: Final = {
    "额度已用尽": "exhausted",
    "已过期": "expired",
    "状态不可用": "disabled",
    "token status is unavailable": "disabled",
    "无效的令牌": "invalid",
    "Invalid token": "invalid",
    "已被封禁": "owner_disabled",
    "has been banned": "owner_disabled",
    "IP 不在令牌允许": "ip_restricted",
    "只能在指定网段使用": "ip_restricted",
    "is not allowed to access": "ip_restricted",
}
_CODES: Final = {
    "access_denied": "ip_restricted",
    "AUTH_USER_DISABLED": "owner_disabled",
}
_WRITTEN: Final = {1: "active", 2: "disabled", 3: "expired", 4: "exhausted"}

# With 200, older servers say no as well (7).
_SAY_NO: Final = (200, 401, 403)

_KEY_PATHS: Final = (
    "/v1/dashboard/billing/subscription",
    "/v1/dashboard/billing/usage",
    "/api/usage/token/",
)

_HALVES: Final = re.compile("[\ud800-\udfff]")


class Number(str):
    """A number as it stands in a reply."""

    __slots__ = ()

    def exact(self) -> Fraction | None:
        """Return it, None where it is beyond all that a server could mean."""
        mantissa, _, exponent = self.lower().partition("e")
        if len(mantissa) > _MOST_DIGITS or abs(int(exponent or 0)) > _MOST_DIGITS:
            return None
        return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)


_MOST_DIGITS: Final = 4300
_USUAL_DIGITS: Final = 19


def read(reply: Reply | None) -> Any:
    """Return the JSON of a reply, None where there is none."""
    if reply is None or "json" not in (reply.header("Content-Type") or "").lower():
        return None
    try:
        return json.loads(
            reply.body, parse_int=Number, parse_float=Number, parse_constant=_no_number
        )
    except ValueError, RecursionError:
        return None


def _no_number(text: str) -> None:
    raise ValueError(text)


def yes(reply: Reply | None) -> Mapping[str, Any]:
    """Return the object in a reply that says yes (1.2), or an empty one."""
    data = read(reply)
    if (
        reply is None
        or reply.status != 200
        or not isinstance(data, dict)
        or data.get("success", True) is not True
        or isinstance(data.get("error"), dict)
    ):
        return {}
    return data


def no(reply: Reply | None) -> Mapping[str, Any] | None:
    """Return what says why in a reply that says no, None in any other (7)."""
    data = read(reply)
    if reply is None or reply.status not in _SAY_NO or not isinstance(data, dict):
        return None
    error = data.get("error")
    if isinstance(error, dict):
        return None if reply.status == 200 and data.get("success", True) else error
    return data if data.get("success") is False else None


def whole(value: Any) -> int | None:
    """Return a whole number of a reply."""
    if isinstance(value, Number) and value.isdigit() and len(value) <= _USUAL_DIGITS:
        return int(value)
    exact = value.exact() if isinstance(value, Number) else None
    return int(exact) if exact is not None and exact.denominator == 1 else None


def number(value: Any) -> Fraction | None:
    """Return a number of a reply."""
    return value.exact() if isinstance(value, Number) else None


def text(value: Any) -> str | None:
    """Return a text of a reply, as far as it can be shown."""
    if not isinstance(value, str) or isinstance(value, Number):
        return None
    return _HALVES.sub("?", value.strip()) or None


def expiry(value: Any) -> int | None:
    """Return when something ends; 0 and -1 are never (trap 27)."""
    moment = whole(value)
    return moment if moment is not None and 0 < moment <= _END_OF_TIME else None


@dataclass(frozen=True, slots=True)
class Money:
    """How a site shows raw quota (3.2) and writes it into billing (3.3)."""

    kind: str
    code: str | None
    symbol: str | None
    per_raw: Fraction | None
    billing: Fraction | None

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> Money:
        """Read the `data` of `/api/status`."""
        divisor = divisor_of(status)
        dollar = None if divisor is None else 1 / divisor
        display = status.get("quota_display_type")
        if display is None:
            known = {True: "USD", False: "TOKENS"}
            in_currency = status.get("display_in_currency", True)
            display = known[in_currency] if isinstance(in_currency, bool) else None
        if display == "USD":
            return cls("currency", "USD", "$", dollar, dollar)
        if display == "TOKENS":
            return cls("tokens", None, None, Fraction(1), Fraction(1))
        if display == "CNY":
            rate = number(status.get("usd_exchange_rate", Number("7.3")))
            yuan = dollar * rate if dollar and rate and rate > 0 else None
            return cls("currency", "CNY", "¥", yuan, yuan)
        if display == "CUSTOM":
            rate = number(status.get("custom_currency_exchange_rate", Number(1)))
            shown = None
            if dollar is not None and rate is not None:
                shown = dollar * (rate if rate > 0 else 1)
            symbol = text(status.get("custom_currency_symbol")) or "¤"
            return cls("custom", None, symbol, shown, dollar)
        return cls("custom", None, None, None, None)

    def is_billed(self, raw: int, billed: Fraction | None) -> bool:
        """Tell whether a number of billing stands for raw quota."""
        if billed is None or not self.billing or abs(raw) >= _LARGEST:
            return False
        return abs(billed / self.billing - raw) <= Fraction(1, 2)

    def wrong_amounts(self, unit: Unit, figures: Iterable[int | None]) -> Iterator[str]:
        """Compare what is shown for raw quota."""
        for raw in figures:
            try:
                amount = unit.amount(raw)
            except Exception as err:  # noqa: BLE001 - none of them may be
                yield f"no amount but {err!r}"
                continue
            if raw is None or self.per_raw is None:
                if amount is not None:
                    yield f"the amount {amount} of {raw}"
            elif amount is None:
                yield f"no amount of {raw}"
            elif abs(Fraction(amount) - raw * self.per_raw) > _ROUNDED:
                yield f"the amount {amount} of {raw}"


def divisor_of(status: Mapping[str, Any]) -> Fraction | None:
    """Return how much raw quota is a dollar (3.1), None where that is unusable."""
    divisor = number(status.get("quota_per_unit", Number(500_000)))
    # With 2**63 raw units to a dollar, nobody could own one (3.4).
    return divisor if divisor is not None and 0 < divisor < 2**63 else None


def family_of(status: Mapping[str, Any], version: str | None) -> str:
    """Tell the family by the marks of 9.1."""
    if "check_in_enabled" in status:
        return "veloera"
    marks = {"self_use_mode_enabled", "quota_display_type", "enable_data_export"}
    if version or marks & status.keys():
        return "new_api"
    if "PaymentUSDRate" in status:
        return "one_hub"
    return "one_api" if {"chat_link", "lark_client_id"} & status.keys() else "unknown"


@dataclass(frozen=True, slots=True)
class Known:
    """What a site says of itself, as `/api/status` justifies it (5.1)."""

    family: str
    versions: tuple[str | None, str | None]
    name: str | None
    divisor: Fraction | None
    money: Money

    @classmethod
    def of(cls, reply: Reply) -> Known:
        """Read a reply of `/api/status`."""
        status = yes(reply)["data"]
        version = text(reply.header("X-New-Api-Version"))
        return cls(
            family_of(status, version),
            (version, text(status.get("version"))),
            text(status.get("system_name")),
            divisor_of(status),
            Money.of(status),
        )


# What every server calls a release of its own (gateway_api.md 10).
_RELEASE: Final = re.compile(r"v[0-9]{1,3}(\.[0-9]{1,3}){2}(-rc\.[0-9]{1,3})?")


def wrong_site(site: Site, served: Sequence[Served]) -> Iterator[str]:
    """Compare what a site is said to be."""
    replies = [
        each.reply
        for each in _on(served, "/api/status")
        if each.reply is not None and isinstance(yes(each.reply).get("data"), dict)
    ]
    if not replies:
        yield "a site that never said yes"
        return
    known = Known.of(replies[-1])
    unit, money = site.unit, known.money
    for what, said, justified in (
        ("family", site.family.value, known.family),
        ("name", site.name, known.name),
        ("divisor", _fraction(site.quota_per_unit), known.divisor),
        ("kind", unit.kind.value, money.kind),
        ("code", unit.code, money.code),
        ("symbol", unit.symbol, money.symbol),
        ("per raw", unit.per_raw, money.per_raw),
        ("billing per raw", unit.billing_per_raw, money.billing),
    ):
        if said != justified and not (said is None and _is_absurd(justified)):
            yield f"the {what} {said!r} and not {justified!r}"
    first, second = known.versions
    if site.version not in (first, second, None):
        yield f"the version {site.version!r} and not one of {known.versions!r}"
    elif site.version != first and _RELEASE.fullmatch(first or ""):
        yield f"the version {site.version!r} and not {first!r}"
    elif first is None and _RELEASE.fullmatch(second or "") and site.version is None:
        yield f"no version and not {second!r}"
    if unit.per_raw == money.per_raw:
        yield from money.wrong_amounts(unit, _FIGURES)


def _is_absurd(justified: object) -> bool:
    """Tell whether a number is beyond all that a site could mean, and so no figure."""
    return isinstance(justified, Fraction) and not _LEAST < justified < _MOST


_LEAST: Final = Fraction(1, 10**18)
_MOST: Final = Fraction(10**9)

# What may have to be shown: all that fits into a server's database.
_FIGURES: Final = (0, 1, -1, 123_456_789, 2**31, 2**63 - 1, -(2**63) + 1)


def wrong_account(account: Account, served: Sequence[Served]) -> Iterator[str]:
    """Compare a balance (6.1)."""
    said = (
        account.id,
        account.username,
        account.group,
        account.remaining_quota,
        account.used_quota,
        account.request_count,
    )
    for data in _datas(served, "/api/user/self"):
        if said == (
            whole(data.get("id")),
            text(data.get("username")) or "",
            text(data.get("group")),
            whole(data.get("quota")),
            whole(data.get("used_quota")),
            whole(data.get("request_count")),
        ):
            return
    yield f"the account {said}"


def wrong_keys(
    keys: Sequence[AccountKey], served: Sequence[Served], key: str, clock: float
) -> Iterator[str]:
    """Compare a list of keys (6.4) at `clock`, in Unix seconds."""
    pages = [yes(each.reply) for each in _on(served, "/api/token/")]
    items = [item for page in pages for item in _items(page)]
    first = pages[0].get("data") if pages else None
    total = (
        whole(first.get("total" if "items" in first else "total_count"))
        if isinstance(first, dict)
        else None
    )
    if total is not None and len(keys) < total:
        yield f"{len(keys)} keys of {total}"
    clocks = _clocks(served, clock)
    rows: dict[int | None, list[Mapping[str, Any]]] = {}
    for item in items:
        if isinstance(item, dict):
            rows.setdefault(whole(item.get("id")), []).append(item)
    if {each.id for each in keys} != rows.keys() or len(keys) != len(rows):
        yield f"the ids {[each.id for each in keys]} and not {list(rows)}"
    for each in keys:
        if not any(_is_row(each, item, clocks) for item in rows.get(each.id, ())):
            yield f"the key {each}"
    ours = {
        number
        for number, items in rows.items()
        if any(_is_same(item.get("key"), key) for item in items)
    }
    configured = {each.id for each in keys if each.configured}
    if len(configured) > 1 or not configured <= ours:
        yield f"the configured keys {configured} and not {ours}"


def wrong_models(models: Sequence[str], served: Sequence[Served]) -> Iterator[str]:
    """Compare the models of a key (4.1)."""
    found = [_ids(yes(each.reply).get("data")) for each in _on(served, "/v1/models")]
    if list(models) not in found:
        yield f"the models {models} and not one of {found}"


def wrong_account_models(
    models: Sequence[str], served: Sequence[Served], group: str | None
) -> Iterator[str]:
    """Compare the models of an account (6.2; One Hub: 5.3)."""
    found = []
    for path in ("/api/user/models", "/api/user/available_models"):
        found += [_ids(yes(each.reply).get("data")) for each in _on(served, path)]
    for data in _datas(served, "/api/available_model"):
        of_group = [
            name
            for name, about in data.items()
            if isinstance(about, dict)
            and isinstance(about.get("groups"), list)
            and group in about["groups"]
        ]
        found.append(_ids(of_group))
    if list(models) not in found:
        yield f"the models {models} and not one of {found}"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A key's own figures, when they came, and what was refused at the time."""

    usage: Mapping[str, Any]
    at: float
    refusals: set[str]


@dataclass(slots=True)
class Memory:
    """What a client may still know of a key from questions before."""

    seen: list[_Seen] = field(default_factory=list)

    def about(self, state: KeyState, clock: float) -> _Seen | None:
        """Return what a state was made from in the last day, or else the latest."""
        recent = [each for each in self.seen if clock - each.at <= _DAY]
        # Figures that may be another key's are held back until they come again (1.5).
        for each in reversed(recent):
            if _is_usage(state, each.usage):
                return each
        return recent[-1] if recent else None


def wrong_key(
    state: KeyState,
    served: Sequence[Served],
    known: Known,
    memory: Memory,
    clock: float,
) -> Iterator[str]:
    """Compare the state of a key that was asked alone (4.3, 4.4, 4.6).

    Remembers in `memory` what the site said of the key.
    """
    refusals = set(_refusals(served))
    usages = [
        data
        for each in _on(served, _KEY_PATHS[2])
        if yes(each.reply).get("code") is True
        and isinstance(data := yes(each.reply).get("data"), dict)
        and _is_whole_usage(data)
    ]
    if usages:
        memory.seen.append(_Seen(usages[-1], clock, refusals))
    seen = memory.about(state, clock)
    usage = None if seen is None else seen.usage
    if refusals and seen is not None:
        refusals = refusals | seen.refusals
    name = None if usage is None else text(usage.get("name"))
    if usage is not None and (usages or refusals) and _is_usage(state, usage):
        clocks = _clocks(served, clock)
        wrong = list(_wrong_status_by(state, usage, refusals, clocks))
        if any(_is_mute(each.reply) for each in _on(served, *_KEY_PATHS[:2])):
            # That may have come first, and then what the other one says is not awaited.
            wrong = wrong and list(_wrong_status_by(state, usage, set(), clocks))
        yield from wrong
        return
    yield from _wrong_status(state, served, refusals)
    if state.name not in (None, name):
        yield f"the name {state.name!r}"
    yield from _wrong_billing(state, served, known, usage)


def wrong_listed_key(
    state: KeyState, served: Sequence[Served], listed: AccountKey
) -> Iterator[str]:
    """Compare the state of a key that stands in a list, too."""
    said = (state.unlimited, state.remaining_quota, state.used_quota, state.expires_at)
    if said != (
        listed.unlimited,
        listed.remaining_quota,
        listed.used_quota,
        listed.expires_at,
    ):
        yield f"the figures {said} and not those of {listed}"
    status, refusals = state.status.value, set(_refusals(served))
    accepted = any(_accepts(each.reply) for each in _on(served, _KEY_PATHS[0]))
    if status == listed.status.value or status in refusals:
        return
    if status == "active" and listed.status.value == "expired" and accepted:
        return
    if status != "refused" or not refusals:
        yield f"the status {status} after {refusals}"


def _wrong_status_by(
    state: KeyState,
    usage: Mapping[str, Any],
    refusals: set[str],
    clocks: Sequence[float],
) -> Iterator[str]:
    """Compare a status that goes with the key's own figures (4.6)."""
    status, expires_at = state.status.value, expiry(usage.get("expires_at"))
    exhausted = (
        not usage["unlimited_quota"] and (whole(usage["total_available"]) or 0) <= 0
    )
    expired = expires_at is not None and any(expires_at < now for now in clocks)
    is_right = {
        "active": not refusals and not exhausted,
        "exhausted": exhausted,
        "expired": expired and bool(refusals),
        # The only cause of a refusal that these figures do not show (trap 46).
        "disabled": bool(refusals) and not exhausted,
        "refused": bool(refusals),
    }.get(status, False)
    if not is_right and status not in refusals:
        yield f"the status {status} with {dict(usage)} after {refusals}"


def _wrong_status(
    state: KeyState, served: Sequence[Served], refusals: set[str]
) -> Iterator[str]:
    status = state.status.value
    if status == "active":
        if not any(_accepts(each.reply) for each in _on(served, *_KEY_PATHS[:2])):
            yield "an active key that nothing accepted"
        if any(no(each.reply) is not None for each in _on(served, *_KEY_PATHS[:2])):
            yield "an active key that was refused"
    elif status == "refused":
        if not refusals:
            yield "a refused key that nothing refused"
    elif status not in refusals:
        yield f"the status {status} after {refusals}"


def _wrong_billing(
    state: KeyState,
    served: Sequence[Served],
    known: Known,
    usage: Mapping[str, Any] | None,
) -> Iterator[str]:
    """Compare figures that come from billing."""
    limit = _billed(served, _KEY_PATHS[0], "hard_limit_usd")
    used = _billed(served, _KEY_PATHS[1], "total_usage")
    used = None if used is None else used / 100
    money = known.money
    if state.unlimited and state.remaining_quota is not None:
        yield f"{state.remaining_quota} remaining of an unlimited key"
    if state.unlimited and not (
        (limit == _SENTINEL and money.kind != "tokens" and known.family != "one_hub")
        or (usage is not None and usage.get("unlimited_quota") is True)
    ):
        yield f"an unlimited key with the limit {limit}"
    if state.used_quota is not None and not money.is_billed(state.used_quota, used):
        yield f"{state.used_quota} used of {used}"
    if state.remaining_quota is not None and not _is_left(state, limit, used, known):
        yield f"{state.remaining_quota} remaining of {limit} with {used} used"
    ends = {
        expiry(yes(each.reply).get("access_until"))
        for each in _on(served, _KEY_PATHS[0])
    }
    if state.expires_at is not None and state.expires_at not in ends:
        yield f"the expiry {state.expires_at} and not {ends}"


def _is_left(
    state: KeyState, limit: Fraction | None, used: Fraction | None, known: Known
) -> bool:
    """Tell whether a remaining quota follows from billing (4.3, 4.4)."""
    left, money = state.remaining_quota, known.money
    if left is None or state.used_quota is None:
        return False
    if limit == _SENTINEL and money.kind != "tokens" and known.family != "one_hub":
        return False
    if money.is_billed(left + state.used_quota, limit):
        return True
    # One API shows an account's balance as its limit.
    return (
        known.family == "one_api"
        and state.scope.value == "account"
        and money.is_billed(left, limit)
    )


def _billed(served: Sequence[Served], path: str, name: str) -> Fraction | None:
    found = [number(yes(each.reply).get(name)) for each in _on(served, path)]
    return next((each for each in found if each is not None), None)


def _is_whole_usage(usage: Mapping[str, Any]) -> bool:
    """Tell whether all figures of `/api/usage/token/` are of the documented types."""
    figures = ("total_available", "total_used", "expires_at")
    return isinstance(usage.get("unlimited_quota"), bool) and all(
        whole(usage.get(figure)) is not None for figure in figures
    )


def _is_usage(state: KeyState, usage: Mapping[str, Any]) -> bool:
    """Tell whether figures are those of `/api/usage/token/`."""
    unlimited = usage.get("unlimited_quota")
    available = whole(usage.get("total_available"))
    return isinstance(unlimited, bool) and (
        state.unlimited,
        state.remaining_quota,
        state.used_quota,
        state.expires_at,
        state.name,
    ) == (
        unlimited,
        None if unlimited else available,
        whole(usage.get("total_used")),
        expiry(usage.get("expires_at")),
        text(usage.get("name")),
    )


def _is_row(key: AccountKey, item: Mapping[str, Any], clocks: Sequence[float]) -> bool:
    """Tell whether a key is what an item of a list says of it."""
    unlimited, left = item.get("unlimited_quota"), whole(item.get("remain_quota"))
    ends = expiry(item.get("expired_time"))
    written = _WRITTEN.get(whole(item.get("status")) or 0, "refused")
    statuses = {written}
    if written in ("active", "exhausted"):
        expired = {ends is not None and ends < now for now in clocks}
        exhausted = unlimited is False and left is not None and left <= 0
        statuses = (
            {"exhausted" if exhausted else written} if False in expired else set()
        )
        statuses |= {"expired"} if True in expired else set()
    return (
        isinstance(unlimited, bool)
        and left is not None
        and key.status.value in statuses
        and (key.id, key.name, key.unlimited, key.remaining_quota)
        == (
            whole(item.get("id")),
            text(item.get("name")) or "",
            unlimited,
            None if unlimited else left,
        )
        and (key.used_quota, key.expires_at) == (whole(item.get("used_quota")), ends)
    )


def _is_same(listed: Any, key: str) -> bool:
    """Tell whether a key in a list, whole or masked, is this one (6.4)."""
    if not isinstance(listed, str):
        return False
    listed, key = listed.removeprefix("sk-"), key.removeprefix("sk-")
    masked = "*" in listed and (listed[:4], listed[-4:]) == (key[:4], key[-4:])
    return listed == key or masked


def _items(page: Mapping[str, Any]) -> list[Any]:
    data = page.get("data")
    if isinstance(data, dict):
        data = data["items"] if "items" in data else data.get("data")
    return data if isinstance(data, list) else []


def _ids(data: Any) -> list[str] | None:
    """Return the distinct ids of a list, None of anything else."""
    if data is None:
        return []
    if not isinstance(data, list):
        return None
    ids = {
        item.get("id") if isinstance(item, dict) else item
        for item in data
        if isinstance(item, dict | str)
    }
    return sorted(_HALVES.sub("?", each) for each in ids if isinstance(each, str))


def _accepts(reply: Reply | None) -> bool:
    """Tell whether a site accepts a credential, with or without figures (1.8)."""
    if reply is None or reply.status != 200:
        return False
    return not reply.body.strip() or bool(yes(reply))


def _is_mute(reply: Reply | None) -> bool:
    """Tell whether a reply neither accepts nor refuses a credential."""
    return not _accepts(reply) and no(reply) is None


def _refusals(served: Sequence[Served]) -> Iterator[str]:
    """Return all that the refusals of a key may say of it."""
    for each in _on(served, *_KEY_PATHS):
        said = no(each.reply)
        if said is None:
            continue
        yield "refused"
        message, code = said.get("message"), said.get("code")
        if isinstance(code, str) and code in _CODES:
            yield _CODES[code]
        if isinstance(message, str):
            yield from (why for part, why in _TEXTS.items() if part in message)


def _clocks(served: Sequence[Served], clock: float) -> list[float]:
    """Return what the time may be: ours, or the site's."""
    clocks = [clock]
    for each in served:
        try:
            said = parsedate_to_datetime(
                (each.reply and each.reply.header("Date")) or ""
            )
            clocks.append(said.timestamp())
        except ValueError, OverflowError, TypeError:
            continue
    return clocks


def _on(served: Sequence[Served], *paths: str) -> list[Served]:
    return [each for each in served if each.path in paths]


def _datas(served: Sequence[Served], path: str) -> list[Mapping[str, Any]]:
    found = [yes(each.reply).get("data") for each in _on(served, path)]
    return [each for each in found if isinstance(each, dict)]


def _fraction(value: Any) -> Fraction | None:
    return None if value is None else Fraction(value)
