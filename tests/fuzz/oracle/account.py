"""What an account is told of itself, its keys and its models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from custom_components.new_api.gateway.models import Account, AccountKey
from tests.fuzz.site import Served

from .reading import clocks, datas, expiry, items_of, on, printable, text, whole, yes

_WRITTEN: Final = {1: "active", 2: "disabled", 3: "expired", 4: "exhausted"}


def wrong_account(account: Account, served: Sequence[Served]) -> Iterator[str]:
    """Compare a balance (6.1)."""
    said = (
        account.id,
        account.username,
        account.group,
        account.remaining_quota,
        account.used_quota,
        account.request_count,
        account.referral_reward,
    )
    for data in datas(served, "/api/user/self"):
        if said == (
            whole(data.get("id")),
            text(data.get("username")) or "",
            text(data.get("group")),
            whole(data.get("quota")),
            whole(data.get("used_quota")),
            whole(data.get("request_count")),
            whole(data.get("aff_quota")),
        ):
            return
    yield f"the account {said}"


def wrong_keys(
    keys: Sequence[AccountKey], served: Sequence[Served], key: str, clock: float
) -> Iterator[str]:
    """Compare a list of keys (6.4) at `clock`, in Unix seconds."""
    pages = [yes(each.reply) for each in on(served, "/api/token/")]
    items = [item for page in pages for item in items_of(page)]
    first = pages[0].get("data") if pages else None
    total = (
        whole(first.get("total" if "items" in first else "total_count"))
        if isinstance(first, dict)
        else None
    )
    if total is not None and len(keys) < total:
        yield f"{len(keys)} keys of {total}"
    times = clocks(served, clock)
    rows: dict[int | None, list[Mapping[str, Any]]] = {}
    for item in items:
        if isinstance(item, dict):
            rows.setdefault(whole(item.get("id")), []).append(item)
    if {each.id for each in keys} != rows.keys() or len(keys) != len(rows):
        yield f"the ids {[each.id for each in keys]} and not {list(rows)}"
    for each in keys:
        if not any(_is_row(each, item, times) for item in rows.get(each.id, ())):
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
    found = [_ids(yes(each.reply).get("data")) for each in on(served, "/v1/models")]
    if list(models) not in found:
        yield f"the models {models} and not one of {found}"


def wrong_account_models(
    models: Sequence[str], served: Sequence[Served], group: str | None
) -> Iterator[str]:
    """Compare the models of an account (6.2; One Hub: 5.3)."""
    found = []
    for path in ("/api/user/models", "/api/user/available_models"):
        found += [_ids(yes(each.reply).get("data")) for each in on(served, path)]
    for data in datas(served, "/api/available_model"):
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


def _is_row(key: AccountKey, item: Mapping[str, Any], times: Sequence[float]) -> bool:
    """Tell whether a key is what an item of a list says of it."""
    unlimited, left = item.get("unlimited_quota"), whole(item.get("remain_quota"))
    ends = expiry(item.get("expired_time"))
    written = _WRITTEN.get(whole(item.get("status")) or 0, "refused")
    statuses = {written}
    if written in ("active", "exhausted"):
        expired = {ends is not None and ends < now for now in times}
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
    return sorted(printable(each) for each in ids if isinstance(each, str))
