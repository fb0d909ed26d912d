"""What a key is told of itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from custom_components.new_api.gateway.models import AccountKey, KeyState
from tests.fuzz.site import Reply, Served

from .reading import clocks, expiry, no, number, on, text, whole, yes
from .site import Known

_SENTINEL: Final = 100_000_000
_DAY: Final = 86_400.0

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

_KEY_PATHS: Final = (
    "/v1/dashboard/billing/subscription",
    "/v1/dashboard/billing/usage",
    "/api/usage/token/",
)


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
        for each in on(served, _KEY_PATHS[2])
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
        times = clocks(served, clock)
        wrong = list(_wrong_status_by(state, usage, refusals, times))
        if any(_is_mute(each.reply) for each in on(served, *_KEY_PATHS[:2])):
            # That may have come first, and then what the other one says is not awaited.
            wrong = wrong and list(_wrong_status_by(state, usage, set(), times))
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
    accepted = any(_accepts(each.reply) for each in on(served, _KEY_PATHS[0]))
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
    times: Sequence[float],
) -> Iterator[str]:
    """Compare a status that goes with the key's own figures (4.6)."""
    status, expires_at = state.status.value, expiry(usage.get("expires_at"))
    exhausted = (
        not usage["unlimited_quota"] and (whole(usage["total_available"]) or 0) <= 0
    )
    expired = expires_at is not None and any(expires_at < now for now in times)
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
        if not any(_accepts(each.reply) for each in on(served, *_KEY_PATHS[:2])):
            yield "an active key that nothing accepted"
        if any(no(each.reply) is not None for each in on(served, *_KEY_PATHS[:2])):
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
        for each in on(served, _KEY_PATHS[0])
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
    found = [number(yes(each.reply).get(name)) for each in on(served, path)]
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
    for each in on(served, *_KEY_PATHS):
        said = no(each.reply)
        if said is None:
            continue
        yield "refused"
        message, code = said.get("message"), said.get("code")
        if isinstance(code, str) and code in _CODES:
            yield _CODES[code]
        if isinstance(message, str):
            yield from (why for part, why in _TEXTS.items() if part in message)
