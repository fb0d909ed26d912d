"""What each carried server lets a client know, and what is true of it.

Written from `truth.json` and gateway_api.md, never from what the client says. A table
says whose figures can be known; the figures themselves come from the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from functools import cache
from typing import Any, Final

from tests.recordings import SITES, Recording

# The sites where things change while they are read, with tests of their own.
_OF_THEIR_OWN: Final = frozenset({"limited", "spending"})

RECORDED: Final = [
    (server, site)
    for server, sites in SITES.items()
    for site in sites
    if site not in _OF_THEIR_OWN
]
"""Every server and site whose replies stand still."""

FORBIDDEN: Final = ("/api/user/token", "/api/user/aff")
"""GETs that change something on the site (gateway_api.md 2.3)."""

# ------------------------------------------------------------------------------------
# A key alone.
#
# unlimited: yes, no, or ? where the server does not tell.
# remaining, used: whose figure the client can be sure of, `key` or `account`; ? for
#   none, - for an unlimited key, of which nothing remains or runs out. Where the scope
#   is unknown, these name whose figure it is in truth.
# expires: `key` for the key's own, - for never or unknown.
#
# - New API says the key's own figures at `/api/usage/token/`, whatever display type,
#   divisor and DisplayTokenStatEnabled are (4.6). A key that v1.0.0 takes there, but
#   refuses in billing with a bare "Invalid token", is told apart by its own figures.
# - v0.9.0 refuses there what it refuses in billing, but says why (2.1).
# - One API has billing alone. A limit may be the account's balance (4.3): left and used
#   can be told apart only with an expiry, the sentinel, nothing used yet, or a limit
#   that is less than what was used (9.4). Where raw quota is shown, 100000000 may as
#   well be an honest limit (9.5).
# - One Hub has billing alone, where the subtraction is right whoever it belongs to: an
#   unlimited key shows its account's (8). It says "无效的令牌" for a key of a disabled
#   owner as for one that never was (recorded).
# - With a divisor of 0 billing says nothing but the sentinel (1.8).
_KEY_ALONE: Final = """
                 status          scope     unlimited  remaining  used     expires

new_api_main: *
new_api_rc21: *
main             active          key       no         key        key      -
unlimited        active          key       yes        -          key      -
exhausted        exhausted       key       no         key        key      -
overdrawn        exhausted       key       no         key        key      -
expired          expired         key       no         key        key      key
expired_marked   expired         key       no         key        key      key
disabled         disabled        unknown   ?          ?          ?        -
model_limited    active          key       no         key        key      -
ip_limited       ip_restricted   key       no         key        key      -
expires_later    active          key       no         key        key      key
tiny             active          key       no         key        key      -
negative_owner   active          key       yes        -          key      -
banned_owner     owner_disabled  unknown   ?          ?          ?        -
fresh            exhausted       key       no         key        key      -
ümläut 钥匙      active          key       no         key        key      -

new_api_0_9: *
main             active          key       no         key        key      -
unlimited        active          key       yes        -          key      -
exhausted        exhausted       unknown   ?          ?          ?        -
overdrawn        exhausted       unknown   ?          ?          ?        -
expired          expired         unknown   ?          ?          ?        -
expired_marked   expired         unknown   ?          ?          ?        -
disabled         disabled        unknown   ?          ?          ?        -
model_limited    active          key       no         key        key      -
ip_limited       ip_restricted   unknown   ?          ?          ?        -
expires_later    active          key       no         key        key      key
tiny             active          key       no         key        key      -
negative_owner   active          key       yes        -          key      -
banned_owner     owner_disabled  unknown   ?          ?          ?        -
fresh            exhausted       unknown   ?          ?          ?        -
ümläut 钥匙      active          key       no         key        key      -

one_api: usd unit_million closed
main             active          unknown   ?          ?          key      -
unlimited        active          key       yes        -          key      -
exhausted        exhausted       unknown   ?          ?          ?        -
overdrawn        exhausted       unknown   ?          ?          ?        -
expired          expired         unknown   ?          ?          ?        -
expired_marked   expired         unknown   ?          ?          ?        -
disabled         disabled        unknown   ?          ?          ?        -
model_limited    active          unknown   ?          ?          key      -
ip_limited       ip_restricted   unknown   ?          ?          ?        -
expires_later    active          key       no         key        key      key
tiny             active          unknown   ?          key        key      -
negative_owner   active          key       yes        -          key      -
banned_owner     owner_disabled  unknown   ?          ?          ?        -
fresh            exhausted       unknown   ?          ?          ?        -
ümläut 钥匙      active          unknown   ?          ?          key      -

one_api: legacy_tokens
main             active          unknown   ?          ?          key      -
unlimited        active          unknown   ?          ?          key      -
exhausted        exhausted       unknown   ?          ?          ?        -
model_limited    active          unknown   ?          ?          key      -
expires_later    active          key       no         key        key      key
tiny             active          unknown   ?          key        key      -
negative_owner   active          unknown   ?          ?          key      -

one_api: account_level
main             active          account   ?          account    account  -
unlimited        active          account   ?          account    account  -
exhausted        exhausted       unknown   ?          ?          ?        -
model_limited    active          account   ?          account    account  -
expires_later    active          account   ?          account    account  -
tiny             active          account   ?          account    account  -
negative_owner   active          account   ?          account    account  -

one_api: unit_zero
main             active          unknown   ?          ?          ?        -
unlimited        active          key       yes        -          ?        -
exhausted        exhausted       unknown   ?          ?          ?        -
model_limited    active          unknown   ?          ?          ?        -
expires_later    active          unknown   ?          ?          ?        -
tiny             active          unknown   ?          ?          ?        -
negative_owner   active          key       yes        -          ?        -

one_hub: usd unit_million closed account_level legacy_tokens
main             active          unknown   ?          key        key      -
unlimited        active          unknown   ?          account    account  -
exhausted        exhausted       unknown   ?          ?          ?        -
overdrawn        exhausted       unknown   ?          ?          ?        -
expired          expired         unknown   ?          ?          ?        -
expired_marked   expired         unknown   ?          ?          ?        -
disabled         disabled        unknown   ?          ?          ?        -
model_limited    active          unknown   ?          key        key      -
ip_limited       ip_restricted   unknown   ?          ?          ?        -
expires_later    active          unknown   ?          key        key      key
tiny             active          unknown   ?          key        key      -
negative_owner   active          account   ?          account    account  -
banned_owner     invalid         unknown   ?          ?          ?        -
fresh            exhausted       unknown   ?          ?          ?        -
ümläut 钥匙      active          unknown   ?          key        key      -

one_hub: unit_zero
main             active          unknown   ?          ?          ?        -
unlimited        active          unknown   ?          ?          ?        -
exhausted        exhausted       unknown   ?          ?          ?        -
model_limited    active          unknown   ?          ?          ?        -
expires_later    active          unknown   ?          ?          ?        -
tiny             active          unknown   ?          ?          ?        -
negative_owner   active          unknown   ?          ?          ?        -
"""

# ------------------------------------------------------------------------------------
# Mistakes with a key, all asked on `usd`: a status, or `main` where the site takes it
# for the key `main`; with ? where it has no critical call left to say more, as whose
# figures these are. The channel suffix is for administrators, and the site does not say
# what else may be wrong; One Hub takes it for a part of the key.
_KEY_MISTAKES: Final = """
                     new_api_main  new_api_rc21  new_api_0_9  one_api  one_hub
lower-case scheme    main          main          main         main     main
no scheme            main          main          main         main     main
two spaces           main          main          main         main     main
no sk- prefix        main          main          main?        main     main
channel suffix       refused       refused       refused?     refused  invalid
unknown key          invalid       invalid       invalid      invalid  invalid
system token as key  invalid       invalid       invalid      invalid  invalid
short garbage        invalid       invalid       invalid      invalid  invalid
"""

# ------------------------------------------------------------------------------------
# Accounts and mistakes with them: `active`, or why the site, or the client for it,
# refuses. Servers without a user ID, and newer ones that ignore it, answer with the
# figures of the token's owner, whoever was meant (2.3, trap 20): then the client must.
_ACCOUNTS: Final = """
                           new_api_main      new_api_rc21      new_api_0_9       one_api           one_hub
alice                      active            active            active            active            active
bob                        active            active            active            active            active
carol                      owner_disabled    owner_disabled    owner_disabled    owner_disabled    owner_disabled
dora                       active            active            active            active            active
erin                       active            active            active            active            active
adam                       active            active            active            active            active
wrong token                invalid           invalid           invalid           invalid           invalid
key as token               invalid           invalid           invalid           invalid           invalid
without user id            active            user_id_missing   user_id_missing   active            active
id of another              user_id_mismatch  user_id_mismatch  user_id_mismatch  user_id_mismatch  user_id_mismatch
id of nobody               user_id_mismatch  user_id_mismatch  user_id_mismatch  user_id_mismatch  user_id_mismatch
id not a number            user_id_mismatch  user_id_mismatch  user_id_mismatch  user_id_mismatch  user_id_mismatch
id negative                user_id_mismatch  user_id_mismatch  user_id_mismatch  user_id_mismatch  user_id_mismatch
id with a space            active            active            active            active            active
token without scheme       active            active            active            active            active
token lower-case scheme    active            active            active            active            active
"""  # noqa: E501

_STATUS: Final = {1: "active", 2: "disabled", 3: "expired", 4: "exhausted"}


@dataclass(frozen=True, slots=True)
class Key:
    """What can be known of a key; figures in raw quota, `expires_at` in Unix s.

    `is_incomplete` where the site had no answer to a question that may tell more.
    """

    status: str
    scope: str = "unknown"
    unlimited: bool | None = None
    remaining_quota: int | None = None
    used_quota: int | None = None
    expires_at: int | None = None
    is_incomplete: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class ListedKey:
    """What an account's list says of a key."""

    id: int
    name: str
    status: str
    unlimited: bool
    remaining_quota: int | None
    used_quota: int
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """What can be known of an account."""

    id: int
    username: str
    group: str
    remaining_quota: int
    used_quota: int
    request_count: int
    referral_reward: int | None


@dataclass(frozen=True, slots=True)
class Site:
    """What a site says of itself."""

    family: str
    version: str
    name: str
    quota_per_unit: Decimal | None
    kind: str
    code: str | None
    symbol: str | None


def secret(recording: Recording, key: str) -> str:
    """Return a key as its owner copies it from the site."""
    return f"sk-{recording.truth.keys[key]['key']}"


def keys_asked(recording: Recording) -> list[str]:
    """Return the names of the keys that the site was asked with."""
    asked = {exchange.name for exchange in recording.exchanges}
    return [name for name in recording.truth.keys if f"key {name} /v1/models" in asked]


def key_mistakes(recording: Recording) -> dict[str, str]:
    """Return what was sent as a key by mistake, as it stood in the header."""
    asked = {exchange.name for exchange in recording.exchanges}
    return {
        mistake: _sent(recording, f"{mistake} /v1/models")[0]
        for mistake in _columns(_KEY_MISTAKES)
        if f"{mistake} /v1/models" in asked
    }


def accounts_asked(recording: Recording) -> list[str]:
    """Return the users and the mistakes with which an account was asked for."""
    asked = {exchange.name for exchange in recording.exchanges}
    return [
        name
        for name in _columns(_ACCOUNTS)
        if f"account {name} /api/user/self" in asked
    ]


def account_sent(recording: Recording, name: str) -> tuple[str, str | None]:
    """Return what is pasted as access token and what as user ID."""
    user = recording.truth.users.get(name)
    if user is not None:
        return user["access_token"], str(user["id"])
    return _sent(recording, f"account {name} /api/user/self")


def lists_asked(recording: Recording) -> list[str]:
    """Return the users whose whole list of keys was asked for."""
    asked = {exchange.name for exchange in recording.exchanges}
    return [
        user
        for user in recording.truth.users
        if f"account {user} /api/token/?p=0&size=100" in asked
    ]


def key_alone(recording: Recording, name: str) -> Key:
    """Return what a client that has only this key can know of it."""
    return _of_row(recording, name, _key_row(recording.server, recording.site, name))


def key_mistaken(recording: Recording, mistake: str) -> Key:
    """Return what a client that was given this instead of a key can know."""
    known = _columns(_KEY_MISTAKES)[mistake][recording.server]
    is_incomplete = known.endswith("?")
    known = known.removesuffix("?")
    if known != "main":
        return Key(known, is_incomplete=is_incomplete)
    main = key_alone(recording, "main")
    if not is_incomplete:
        return main
    # New API's subtraction is right whoever it belongs to (4.3).
    return replace(main, scope="unknown", unlimited=None, is_incomplete=True)


def key_with_account(recording: Recording, name: str) -> Key:
    """Return what a client that can also read its account's list knows of a key.

    The list has the key's own figures; only asking with the key tells whether it may
    be used from here.
    """
    listed = _listed(recording, recording.truth.keys[name])
    alone = key_alone(recording, name)
    return Key(
        status=alone.status if alone.status == "ip_restricted" else listed.status,
        scope="key",
        unlimited=listed.unlimited,
        remaining_quota=listed.remaining_quota,
        used_quota=listed.used_quota,
        expires_at=listed.expires_at,
    )


def keys_of(recording: Recording, user: str) -> list[ListedKey]:
    """Return all keys of a user, newest first."""
    owner = recording.truth.users[user]["id"]
    own = (key for key in recording.truth.keys.values() if key["user_id"] == owner)
    return [
        _listed(recording, key)
        for key in sorted(own, key=lambda key: key["id"], reverse=True)
    ]


def owner_of(recording: Recording, key: str) -> str:
    """Return the name of the user whose key it is."""
    owner = recording.truth.keys[key]["user_id"]
    (name,) = (
        name for name, user in recording.truth.users.items() if user["id"] == owner
    )
    return name


def account(recording: Recording, name: str) -> Account | str:
    """Return the account behind what was sent under this name, or why there is none."""
    known = _columns(_ACCOUNTS)[name][recording.server]
    if known != "active":
        return known
    # Every mistake was made with alice's token.
    user = recording.truth.users.get(name) or recording.truth.users["alice"]
    return Account(
        id=user["id"],
        username=user["username"],
        group=user["group"],
        remaining_quota=user["quota"],
        used_quota=user["used_quota"],
        request_count=user["request_count"],
        # One API shows no reward (6.1).
        referral_reward=(
            None if recording.server == "one_api" else user.get("aff_quota", 0)
        ),
    )


def models_of_key(recording: Recording, name: str) -> list[str] | None:
    """Return the models that the site showed to a key, None where it refused."""
    exchange = recording.find(f"key {name} /v1/models")
    if exchange.status != 200:
        return None
    return sorted({model["id"] for model in exchange.json()["data"]})


def models_of_account(recording: Recording, user: str) -> list[str] | None:
    """Return the models that the site showed to an account, None where not asked."""
    name = {
        "one_api": f"account {user} /api/user/available_models",
        "one_hub": "public /api/available_model",
    }.get(recording.server, f"account {user} /api/user/models")
    found = [each for each in recording.exchanges if each.name == name]
    if not found:
        return None
    data = found[0].json()["data"]
    if recording.server == "one_hub":
        group = recording.truth.users[user]["group"]
        return sorted(
            model for model, about in data.items() if group in about["groups"]
        )
    return sorted(set(data))


def site(recording: Recording) -> Site:
    """Return what the site says of itself, from how it was set up."""
    divisor = Decimal(_option(recording, "QuotaPerUnit"))
    kind, code, symbol = {
        "USD": ("currency", "USD", "$"),
        "CNY": ("currency", "CNY", "¥"),
        "TOKENS": ("tokens", None, None),
        "CUSTOM": (
            "custom",
            None,
            recording.options.get("general_setting.custom_currency_symbol"),
        ),
    }[_display_type(recording)]
    return Site(
        family=recording.server if recording.server.startswith("one") else "new_api",
        # Only New API since v0.10.7 was built with its version.
        version=recording.version if _knows_display_types(recording) else "v0.0.0",
        name="Test Gateway",
        quota_per_unit=divisor or None,
        kind=kind,
        code=code,
        symbol=symbol,
    )


def shown(recording: Recording, raw: int | None) -> Decimal | None:
    """Return the amount that the site's console shows for raw quota (3.2)."""
    display_type = _display_type(recording)
    if raw is None or display_type == "TOKENS":
        return None if raw is None else Decimal(raw)
    divisor = Decimal(_option(recording, "QuotaPerUnit"))
    if not divisor:
        return None
    rate = {
        "USD": "1",
        "CNY": _option(recording, "USDExchangeRate"),
        "CUSTOM": _option(recording, "general_setting.custom_currency_exchange_rate"),
    }[display_type]
    with localcontext(prec=60):
        return raw / divisor * Decimal(rate)


# What a server has that was not told otherwise.
_OPTIONS: Final = {
    "QuotaPerUnit": "500000",
    "USDExchangeRate": "7.3",
    "DisplayInCurrencyEnabled": "true",
    "general_setting.quota_display_type": "USD",
    "general_setting.custom_currency_exchange_rate": "1",
}


def _option(recording: Recording, name: str) -> str:
    return recording.options.get(name, _OPTIONS[name])


def _knows_display_types(recording: Recording) -> bool:
    return recording.server in ("new_api_main", "new_api_rc21")


def _display_type(recording: Recording) -> str:
    if _option(recording, "DisplayInCurrencyEnabled") == "false":
        return "TOKENS"
    if _knows_display_types(recording):
        return _option(recording, "general_setting.quota_display_type")
    return "USD"


def _sent(recording: Recording, name: str) -> tuple[str, str | None]:
    headers = recording.find(name).request_headers
    return headers["Authorization"], headers.get("New-Api-User")


def _of_row(recording: Recording, name: str, row: list[str]) -> Key:
    status, scope, unlimited, remaining, used, expires = row
    key = recording.truth.keys[name]
    user = recording.truth.users[owner_of(recording, name)]
    left = {"key": key["remain_quota"], "account": user["quota"]}
    spent = {"key": key["used_quota"], "account": user["used_quota"]}
    return Key(
        status=status,
        scope=scope,
        unlimited={"yes": True, "no": False, "?": None}[unlimited],
        remaining_quota=left.get(remaining),
        used_quota=spent.get(used),
        expires_at={"key": key["expired_time"], "-": None}[expires],
    )


def _listed(recording: Recording, key: Mapping[str, Any]) -> ListedKey:
    unlimited = bool(key.get("unlimited_quota"))
    expires_at = None if key["expired_time"] == -1 else key["expired_time"]
    status = _STATUS[key["status"]]
    if status == "active":
        # Servers write the others down only once somebody uses the key (6.4).
        if expires_at is not None and expires_at < recording.recorded_at:
            status = "expired"
        elif not unlimited and key["remain_quota"] <= 0:
            status = "exhausted"
    return ListedKey(
        id=key["id"],
        name=key["name"],
        status=status,
        unlimited=unlimited,
        remaining_quota=None if unlimited else key["remain_quota"],
        used_quota=key["used_quota"],
        expires_at=expires_at,
    )


@cache
def _key_rows() -> dict[tuple[str, str], dict[str, list[str]]]:
    """Read the table of keys, by server and site."""
    tables: dict[tuple[str, str], dict[str, list[str]]] = {}
    _, *blocks = _KEY_ALONE.strip().split("\n\n")
    for block in blocks:
        lines = block.splitlines()
        heads = [line for line in lines if ": " in line]
        rows = {
            name: row
            for name, *row in (line.rsplit(maxsplit=6) for line in lines[len(heads) :])
        }
        for head in heads:
            server, _, sites = head.partition(": ")
            tables |= {(server, site): rows for site in sites.split()}
    return tables


def _key_row(server: str, site: str, name: str) -> list[str]:
    rows = _key_rows()
    return (rows.get((server, site)) or rows[server, "*"])[name]


@cache
def _columns(table: str) -> dict[str, dict[str, str]]:
    """Read a table with a column for each server."""
    head, *lines = table.strip().splitlines()
    servers = head.split()
    rows = {}
    for line in lines:
        name, *values = line.rsplit(maxsplit=len(servers))
        rows[name] = dict(zip(servers, values, strict=True))
    return rows
