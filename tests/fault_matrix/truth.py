"""What is true in the simulated world, as a person should read it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tests.home import Site
from tests.simulator import Key

from .columns import ACCOUNT, ALONE, KEY, Figure

type Value = Decimal | str
"""A number, a word, or "unknown" where there is no number."""

# The sites show dollars.
_UNIT: Final = Decimal(500_000)


def truth(site: Site, *, has_account: bool) -> Mapping[Figure, Value]:
    """Return all figures of the household."""
    models = Decimal(len(site.gateway.world.models))
    if not has_account:
        return _of_key(ALONE, site.key(KEY)) | {(ALONE, "Model count"): models}
    wang = site.user("wang")
    figures: dict[Figure, Value] = {
        (ACCOUNT, "Remaining quota"): wang.quota / _UNIT,
        (ACCOUNT, "Used quota"): wang.used_quota / _UNIT,
        (ACCOUNT, "Request count"): Decimal(wang.request_count),
        (ACCOUNT, "Status"): "active",
        (ACCOUNT, "Model count"): models,
        (KEY, "Model count"): models,
    }
    for key in site.gateway.world.keys_of(wang):
        figures |= _of_key(key.name, key)
    return figures


def says(state: str, value: Value) -> bool:
    """Tell whether a state says what is true, however many zeros it writes."""
    if isinstance(value, str):
        return state == value
    try:
        return Decimal(state) == value
    except ArithmeticError:
        return False


def _of_key(device: str, key: Key) -> dict[Figure, Value]:
    is_used_up = not key.unlimited and key.remain_quota <= 0
    return {
        (device, "Remaining quota"): (
            "unknown" if key.unlimited else key.remain_quota / _UNIT
        ),
        (device, "Used quota"): key.used_quota / _UNIT,
        (device, "Status"): "exhausted" if is_used_up else "active",
        (device, "Expires"): "unknown",
    }
