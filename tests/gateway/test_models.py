"""Replies are validated on their way in: a wrong field makes a reply unusable."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.new_api.gateway.errors import UnexpectedReplyError
from custom_components.new_api.gateway.models import (
    Account,
    AccountKey,
    Family,
    KeyState,
    KeyStatus,
    Scope,
    Site,
    TokenUsage,
    read_models,
)
from custom_components.new_api.gateway.money import Unit, UnitKind

NOW = 1_795_421_638.5

SITE: dict[str, Any] = {
    "version": "v0.13.2",
    "system_name": "Juhe AI",
    "quota_per_unit": 500_000,
    "quota_display_type": "USD",
    "usd_exchange_rate": Decimal("7.3"),
    "custom_currency_symbol": "₭",
    "custom_currency_exchange_rate": Decimal("0.85"),
}
ACCOUNT: dict[str, Any] = {
    "id": 2,
    "username": "alice",
    "group": "default",
    "quota": 45_005_000,
    "used_quota": 101_150_000,
    "request_count": 1234,
}
LISTED: dict[str, Any] = {
    "id": 1,
    "name": "main",
    "key": "77Ws**********69qz",
    "status": 1,
    "expired_time": -1,
    "remain_quota": 45_005_000,
    "unlimited_quota": False,
    "used_quota": 101_150_000,
}
USAGE: dict[str, Any] = {
    "name": "main",
    "unlimited_quota": False,
    "total_available": 45_005_000,
    "total_used": 101_150_000,
    "total_granted": 146_155_000,
    "expires_at": 0,
}

type Read = Callable[[dict[str, Any]], object]


def read_listed(item: Any) -> AccountKey:
    """Read an item of a list at NOW."""
    return AccountKey.from_reply(item, NOW, configured=False)


def read_site(data: dict[str, Any]) -> Site:
    """Read a site that says nothing in its headers."""
    return Site.from_reply(data, None)


# JSON as it is read: no floats, but decimals.
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text()
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def is_whole(value: Any) -> bool:
    """Tell whether a value is a number that quota, a time or an id can be."""
    return (
        isinstance(value, int | Decimal)
        and not isinstance(value, bool)
        and -(2**63) < value < 2**63
        and value == int(value)
    )


def is_flag(value: Any) -> bool:
    """Tell whether a value is true or false."""
    return isinstance(value, bool)


def is_text(value: Any) -> bool:
    """Tell whether a value is a text, or none is given."""
    return value is None or isinstance(value, str)


def is_name(value: Any) -> bool:
    """Tell whether a value is the name of something."""
    return isinstance(value, str)


FIELDS: list[tuple[Read, dict[str, Any], str, Callable[[Any], bool]]] = [
    *((Account.from_reply, ACCOUNT, name, is_whole) for name in ("id", "quota")),
    *((Account.from_reply, ACCOUNT, name, is_whole) for name in ("used_quota",)),
    (Account.from_reply, ACCOUNT, "request_count", is_whole),
    (Account.from_reply, ACCOUNT, "username", is_text),
    (Account.from_reply, ACCOUNT, "group", is_text),
    (read_listed, LISTED, "id", is_whole),
    (read_listed, LISTED, "status", is_whole),
    (read_listed, LISTED, "expired_time", is_whole),
    (read_listed, LISTED, "remain_quota", is_whole),
    (read_listed, LISTED, "used_quota", is_whole),
    (read_listed, LISTED, "unlimited_quota", is_flag),
    (read_listed, LISTED, "name", is_name),
    (TokenUsage.from_reply, USAGE, "total_available", is_whole),
    (TokenUsage.from_reply, USAGE, "total_used", is_whole),
    (TokenUsage.from_reply, USAGE, "expires_at", is_whole),
    (TokenUsage.from_reply, USAGE, "unlimited_quota", is_flag),
    (TokenUsage.from_reply, USAGE, "name", is_text),
    (read_site, SITE, "version", is_text),
    (read_site, SITE, "system_name", is_text),
    (
        read_site,
        SITE | {"quota_display_type": "CUSTOM"},
        "custom_currency_symbol",
        is_text,
    ),
]

every_field = pytest.mark.parametrize(
    ("read", "reply", "field", "fits"),
    FIELDS,
    ids=[f"{read.__qualname__}-{field}" for read, _, field, _ in FIELDS],
)


@every_field
@given(value=json_values)
@example(value=2**63 - 1)
@example(value=2**63)
@example(value=-(2**63))
@example(value=Decimal("1E+3"))
@example(value=Decimal("0.5"))
@example(value=True)
def test_every_field(
    read: Read,
    reply: dict[str, Any],
    field: str,
    fits: Callable[[Any], bool],
    value: Any,
) -> None:
    """A field of the right type is read, one of a wrong type refused, with its name."""
    if fits(value):
        read({**reply, field: value})
    else:
        with pytest.raises(UnexpectedReplyError, match=f"'{field}'"):
            read({**reply, field: value})


@every_field
def test_missing_field(
    read: Read, reply: dict[str, Any], field: str, fits: Callable[[Any], bool]
) -> None:
    """Texts may be missing, figures may not: nothing is 0 because it is not there."""
    without = {name: value for name, value in reply.items() if name != field}
    if fits is is_text:
        read(without)
    else:
        with pytest.raises(UnexpectedReplyError):
            read(without)


@given(data=st.dictionaries(st.sampled_from([*SITE, "check_in_enabled"]), json_values))
def test_any_site(data: dict[str, Any]) -> None:
    """Whatever a site says of itself, it is read or refused."""
    try:
        site = Site.from_reply(data, None)
    except UnexpectedReplyError:
        return
    assert site.quota_per_unit is None or site.quota_per_unit > 0
    assert site.unit.amount(None) is None


@given(item=json_values)
def test_any_item(item: Any) -> None:
    """What is no key in a list of keys makes the list unusable."""
    with pytest.raises(UnexpectedReplyError):
        read_listed(item)


# ------------------------------------------------------------------------------------
# The site.


@pytest.mark.parametrize(
    ("data", "version", "family"),
    [
        ({"self_use_mode_enabled": False}, None, Family.NEW_API),
        ({"quota_display_type": "USD"}, None, Family.NEW_API),
        ({"enable_data_export": True}, None, Family.NEW_API),
        ({}, "v1.0.0-rc.24", Family.NEW_API),
        ({"chat_link": ""}, "v0.13.2", Family.NEW_API),
        ({"check_in_enabled": True, "enable_data_export": True}, None, Family.VELOERA),
        ({"check_in_enabled": False}, None, Family.VELOERA),
        ({"PaymentUSDRate": Decimal("7.3"), "chat_link": ""}, None, Family.ONE_HUB),
        ({"chat_link": ""}, None, Family.ONE_API),
        ({"lark_client_id": ""}, None, Family.ONE_API),
        ({"checkin_enabled": True}, None, Family.UNKNOWN),
        ({}, None, Family.UNKNOWN),
    ],
)
def test_family(data: dict[str, Any], version: str | None, family: Family) -> None:
    """A family is known by its marks (gateway_api.md 9.1)."""
    assert Site.from_reply({"system_name": "x"} | data, version).family is family


def test_version() -> None:
    """The header knows the version better than the settings of an unversioned build."""
    assert Site.from_reply(SITE, "v0.13.9").version == "v0.13.9"
    assert Site.from_reply(SITE, None).version == "v0.13.2"
    assert Site.from_reply(SITE | {"version": ""}, None).version is None


@pytest.mark.parametrize(
    ("said", "divisor"),
    [
        (500_000, Decimal(500_000)),
        (Decimal("0.5"), Decimal("0.5")),
        (0, None),
        (-1, None),
        (Decimal("-0.1"), None),
        ("500000", None),
        (True, None),
        (None, None),
        # With so many raw units to a dollar, nobody could own one.
        (2**63, None),
        (10**4299, None),
        (Decimal("1E+308"), None),
        (2**63 - 1, Decimal(2**63 - 1)),
    ],
)
def test_divisor(said: Any, divisor: Decimal | None) -> None:
    """Only a positive number divides (trap 1)."""
    site = read_site(SITE | {"quota_per_unit": said})
    assert site.quota_per_unit == divisor
    assert site.unit == Unit.usd(divisor)


def test_divisor_of_a_site_that_does_not_say() -> None:
    """The documented fallback is for a site that says nothing, not for nonsense."""
    assert read_site({"system_name": "x"}).quota_per_unit == 500_000


@pytest.mark.parametrize(
    ("data", "unit"),
    [
        ({}, Unit.usd(Decimal(500_000))),
        ({"display_in_currency": True}, Unit.usd(Decimal(500_000))),
        ({"display_in_currency": False}, Unit.tokens()),
        (
            {"quota_display_type": "USD", "display_in_currency": False},
            Unit.usd(Decimal(500_000)),
        ),
        ({"quota_display_type": "TOKENS"}, Unit.tokens()),
        (
            {"quota_display_type": "CNY"},
            Unit.cny(Decimal(500_000), Decimal("7.3")),
        ),
        (
            {"quota_display_type": "CNY", "usd_exchange_rate": 7},
            Unit.cny(Decimal(500_000), Decimal(7)),
        ),
        (
            {"quota_display_type": "CNY", "usd_exchange_rate": "7.2"},
            Unit.cny(Decimal(500_000), None),
        ),
        (
            {"quota_display_type": "CUSTOM"},
            Unit.custom(Decimal(500_000), Decimal(1), "¤"),
        ),
        (
            {
                "quota_display_type": "CUSTOM",
                "custom_currency_symbol": "₭",
                "custom_currency_exchange_rate": Decimal("0.85"),
            },
            Unit.custom(Decimal(500_000), Decimal("0.85"), "₭"),
        ),
        (
            # The servers take it for 1 (3.2).
            {
                "quota_display_type": "CUSTOM",
                "custom_currency_exchange_rate": Decimal("-1E+308"),
            },
            Unit.custom(Decimal(500_000), Decimal(1), "¤"),
        ),
        (
            {"quota_display_type": "CUSTOM", "custom_currency_exchange_rate": 10**4299},
            Unit.custom(Decimal(500_000), None, "¤"),
        ),
        (
            {"quota_display_type": "CNY", "usd_exchange_rate": 2**63},
            Unit.cny(Decimal(500_000), None),
        ),
        ({"quota_display_type": "EUR"}, Unit.unknown()),
        ({"display_in_currency": "yes"}, Unit.unknown()),
        ({"display_in_currency": None}, Unit.unknown()),
        ({"quota_display_type": 1}, Unit.unknown()),
    ],
)
def test_unit(data: dict[str, Any], unit: Unit) -> None:
    """The unit is the one of the site's console (gateway_api.md 3.2)."""
    assert read_site({"quota_per_unit": 500_000} | data).unit == unit


def test_unit_that_nobody_knows_yet() -> None:
    """A new display type shows nothing wrong."""
    unit = read_site(SITE | {"quota_display_type": "EUR"}).unit
    assert (unit.kind, unit.amount(1)) == (UnitKind.CUSTOM, None)


# ------------------------------------------------------------------------------------
# Keys and accounts.


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, KeyStatus.ACTIVE),
        ({"status": 2}, KeyStatus.DISABLED),
        ({"status": 3}, KeyStatus.EXPIRED),
        ({"status": 4, "remain_quota": 0}, KeyStatus.EXHAUSTED),
        ({"status": 5}, KeyStatus.REFUSED),
        ({"status": 0}, KeyStatus.REFUSED),
        # What servers have not written down yet (6.4).
        ({"expired_time": int(NOW)}, KeyStatus.EXPIRED),
        ({"expired_time": int(NOW) + 1}, KeyStatus.ACTIVE),
        ({"expired_time": 0}, KeyStatus.ACTIVE),
        ({"expired_time": 2**62}, KeyStatus.ACTIVE),
        ({"remain_quota": 0}, KeyStatus.EXHAUSTED),
        ({"remain_quota": -1200}, KeyStatus.EXHAUSTED),
        ({"remain_quota": 0, "unlimited_quota": True}, KeyStatus.ACTIVE),
        ({"remain_quota": -1, "unlimited_quota": True}, KeyStatus.ACTIVE),
        ({"remain_quota": 0, "expired_time": 1}, KeyStatus.EXPIRED),
        ({"status": 2, "expired_time": 1}, KeyStatus.DISABLED),
        ({"status": 4, "expired_time": 1}, KeyStatus.EXPIRED),
    ],
)
def test_status_in_a_list(changes: dict[str, Any], status: KeyStatus) -> None:
    """A list says late what became of a key; its figures say it at once."""
    assert read_listed(LISTED | changes).status is status


def test_text_that_is_no_text() -> None:
    """Half a character, which JSON can have, becomes one that can be shown."""
    assert read_listed(LISTED | {"name": "a\ud800b"}).name == "a?b"


def test_key_in_a_list() -> None:
    """What is known of a key is kept, but not the key."""
    key = read_listed(LISTED | {"name": "  my key "})
    assert key == AccountKey(
        id=1,
        name="my key",
        status=KeyStatus.ACTIVE,
        unlimited=False,
        remaining_quota=45_005_000,
        used_quota=101_150_000,
        expires_at=None,
        configured=False,
    )
    assert "77Ws" not in repr(key)
    assert key.as_state() == KeyState(
        KeyStatus.ACTIVE, Scope.KEY, False, 45_005_000, 101_150_000, None, "my key"
    )


def test_unlimited_key_in_a_list() -> None:
    """Nothing remains of an unlimited key, whatever stands there (trap 9)."""
    key = read_listed(LISTED | {"unlimited_quota": True, "remain_quota": -7_500_000})
    assert (key.unlimited, key.remaining_quota) == (True, None)
    assert key.as_state().remaining_quota is None


@pytest.mark.parametrize(
    ("said", "expires_at"),
    [
        (-1, None),
        (0, None),
        (1, 1),
        (253_402_300_799, 253_402_300_799),
        # Later than any calendar.
        (253_402_300_800, None),
        (2**63 - 1, None),
    ],
)
def test_expiry(said: int, expires_at: int | None) -> None:
    """Never is written in several ways (trap 27)."""
    assert read_listed(LISTED | {"expired_time": said}).expires_at == expires_at
    usage = TokenUsage.from_reply(USAGE | {"expires_at": said})
    assert usage.expires_at == expires_at


@pytest.mark.parametrize("name", ["", "  "])
def test_key_without_a_name(name: str) -> None:
    """A key may have no name."""
    key = read_listed(LISTED | {"name": name})
    assert (key.name, key.as_state().name) == ("", None)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, KeyStatus.ACTIVE),
        ({"total_available": 0}, KeyStatus.EXHAUSTED),
        ({"total_available": -1200}, KeyStatus.EXHAUSTED),
        ({"total_available": -1, "unlimited_quota": True}, KeyStatus.ACTIVE),
        ({"expires_at": int(NOW)}, KeyStatus.EXPIRED),
        ({"expires_at": int(NOW) + 1}, KeyStatus.ACTIVE),
        ({"expires_at": -1}, KeyStatus.ACTIVE),
        ({"expires_at": 1, "total_available": 0}, KeyStatus.EXPIRED),
    ],
)
def test_status_of_usage(changes: dict[str, Any], status: KeyStatus) -> None:
    """A key's own figures show whether it is exhausted or expired (4.6)."""
    assert TokenUsage.from_reply(USAGE | changes).status(NOW) is status


def test_account() -> None:
    """An account in debt is shown in debt, and nothing personal of it is kept."""
    account = Account.from_reply(
        ACCOUNT
        | {
            "quota": -123_456,
            "email": "alice@example.org",
            "access_token": "hJzkgAM+",
            "setting": '{"webhook_secret": "hook-secret"}',
        }
    )
    assert account == Account(2, "alice", "default", -123_456, 101_150_000, 1234)
    assert {field.name for field in fields(account)} == {
        "id",
        "username",
        "group",
        "remaining_quota",
        "used_quota",
        "request_count",
        "referral_reward",
    }


@pytest.mark.parametrize(
    ("said", "reward"),
    [({"aff_quota": 250_000}, 250_000), ({"aff_quota": None}, None), ({}, None)],
)
def test_referral_reward(said: dict[str, Any], reward: int | None) -> None:
    """It waits where there is such a thing (6.1)."""
    assert Account.from_reply(ACCOUNT | said).referral_reward == reward


# ------------------------------------------------------------------------------------
# The models.


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ([], ()),
        (["b", "a"], ("a", "b")),
        ([{"id": "b"}, {"id": "a", "owned_by": None}], ("a", "b")),
        ([{"id": "a"}, {"id": "a"}, {"id": "B"}], ("B", "a")),
        ([{"id": "名"}, "a"], ("a", "名")),
    ],
)
def test_models(data: Any, ids: tuple[str, ...]) -> None:
    """The ids are distinct and sorted: their order and number on the wire are not."""
    assert read_models(data) == ids


@given(ids=st.lists(st.text(min_size=1)))
def test_models_do_not_flap(ids: list[str]) -> None:
    """The same models in another order are the same."""
    assert read_models(ids) == read_models([{"id": each} for each in reversed(ids)])
    assert set(read_models(ids)) == set(ids)


@given(data=json_values)
def test_any_models(data: Any) -> None:
    """What is no list of ids is refused, whole."""
    fits = isinstance(data, list) and all(
        isinstance(each.get("id") if isinstance(each, Mapping) else each, str) and each
        for each in data
    )
    if fits:
        read_models(data)
    else:
        with pytest.raises(UnexpectedReplyError):
            read_models(data)
