"""What a site says of itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
import re
from typing import Any, Final

from custom_components.new_api.gateway.models import Site
from custom_components.new_api.gateway.money import Unit
from tests.fuzz.site import Reply, Served

from .news import wrong_announcements
from .reading import Number, number, on, text, yes

# Raw quota that a double of the billing endpoints tells to the unit.
_LARGEST: Final = 2**49

# What an amount may be rounded to where it never ends.
_ROUNDED: Final = Fraction(1, 2 * 10**12)

# What every server calls a release of its own (gateway_api.md 10).
_RELEASE: Final = re.compile(r"v[0-9]{1,3}(\.[0-9]{1,3}){2}(-rc\.[0-9]{1,3})?")

_LEAST: Final = Fraction(1, 10**18)
_MOST: Final = Fraction(10**9)

# What may have to be shown: all that fits into a server's database.
_FIGURES: Final = (0, 1, -1, 123_456_789, 2**31, 2**63 - 1, -(2**63) + 1)


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


def check_in_of(status: Mapping[str, Any]) -> str | None:
    """Return where a site tells of the daily check-in, if it has one (6.9)."""
    if status.get("check_in_enabled") is True:
        return "/api/user/check_in_status"
    return "/api/user/checkin" if status.get("checkin_enabled") is True else None


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


def wrong_site(site: Site, served: Sequence[Served]) -> Iterator[str]:
    """Compare what a site is said to be."""
    replies = [
        each.reply
        for each in on(served, "/api/status")
        if each.reply is not None and isinstance(yes(each.reply).get("data"), dict)
    ]
    if not replies:
        yield "a site that never said yes"
        return
    status = yes(replies[-1])["data"]
    known = Known.of(replies[-1])
    unit, money = site.unit, known.money
    for what, said, justified in (
        ("family", site.family.value, known.family),
        ("history", site.keeps_history, _flag(status.get("enable_data_export"))),
        ("check-in", site.check_in and site.check_in.value, check_in_of(status)),
        ("monitors", site.has_monitors, status.get("uptime_kuma_enabled") is True),
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
    yield from wrong_announcements(site.announcements, status)
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


def _fraction(value: Any) -> Fraction | None:
    return None if value is None else Fraction(value)


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None
