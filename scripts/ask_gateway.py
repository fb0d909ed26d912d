"""Ask a gateway through the integration's own client, without Home Assistant.

What `scripts/ask` runs; its `--json` is the contract of the issue tracker's bug form.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from getpass import getpass
import json
import os
from pathlib import Path
import sys
from types import ModuleType
from typing import Any, Final

from aiohttp import ClientSession, DummyCookieJar
from yarl import URL

if "custom_components.new_api" not in sys.modules:
    # The integration itself imports Home Assistant, which need not be there.
    bare = ModuleType("custom_components.new_api")
    bare.__path__ = [str(Path(__file__).parents[1] / "custom_components" / "new_api")]
    sys.modules[bare.__name__] = bare

from custom_components.new_api.gateway.address import is_exposed, parse_address
from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.credentials import Credentials
from custom_components.new_api.gateway.errors import GatewayError, Refusal, RefusedError
from custom_components.new_api.gateway.models import (
    Account,
    AccountKey,
    KeyStatus,
    Site,
)

KEY: Final = "NEW_API_KEY"
USER_ID: Final = "NEW_API_USER_ID"
ACCESS_TOKEN: Final = "NEW_API_ACCESS_TOKEN"  # noqa: S105

_KEY_SAYS: Final = {
    KeyStatus.EXHAUSTED: "The key has nothing left.",
    KeyStatus.EXPIRED: "The key has expired.",
    KeyStatus.DISABLED: "The key is disabled.",
    KeyStatus.IP_RESTRICTED: "The key may not be used from this address.",
    KeyStatus.OWNER_DISABLED: "The site has disabled the key's owner.",
    KeyStatus.INVALID: "The site does not know this key.",
    KeyStatus.REFUSED: (
        "The site refuses this key and does not say why: "
        "it may be exhausted, expired, disabled or wrong."
    ),
}

_ACCOUNT_SAYS: Final = {
    Refusal.INVALID: ("refused", "The site does not accept this access token."),
    Refusal.USER_ID_MISSING: ("refused", f"The site needs the user ID: set {USER_ID}."),
    Refusal.USER_ID_MISMATCH: (
        "mismatch",
        "The access token does not belong to this user ID.",
    ),
    Refusal.OWNER_DISABLED: ("disabled", "The site has disabled this account."),
    Refusal.UNEXPLAINED: ("refused", "The site refuses to answer."),
}


class ExposedError(GatewayError):
    """The credentials would go to a public host in plain text."""


async def ask(
    url: str, credentials: Credentials, *, unencrypted: bool = False
) -> dict[str, Any]:
    """Return all that the site says; raises GatewayError where it cannot be asked.

    Sends credentials to a public host in plain text only if that is agreed to.
    """
    base = parse_address(url)
    if is_exposed(base) and credentials != Credentials() and not unencrypted:
        raise ExposedError(
            "The credentials would be sent unencrypted, for anyone in between to read: "
            "use https, or add --unencrypted"
        )
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        client = Client(session, base, credentials)
        site = await client.site()
        account, keys = await _ask_account(client, site, credentials)
        configured = next((key for key in keys or () if key.configured), None)
        return {
            "site": _site(base, site),
            "key": await _ask_key(client, site, credentials, configured),
            "account": account,
        }


def _site(base: URL, site: Site) -> dict[str, Any]:
    return {
        "url": str(base),
        "family": site.family.value,
        "version": site.version,
        "name": site.name,
        "quota_per_unit": _number(site.quota_per_unit),
        "unit": {
            "kind": site.unit.kind.value,
            "code": site.unit.code,
            "symbol": site.unit.symbol,
        },
    }


async def _ask_key(
    client: Client,
    site: Site,
    credentials: Credentials,
    listed: AccountKey | None,
) -> dict[str, Any] | None:
    if credentials.key is None:
        return None
    async with asyncio.TaskGroup() as group:
        asking_models = group.create_task(_models(client))
        asking_state = group.create_task(client.key(site, listed))
    models, error = asking_models.result()
    state = asking_state.result()
    if state.status is not KeyStatus.ACTIVE:
        error = _KEY_SAYS[state.status]
    elif state.unanswered is not None:
        error = f"Not all of the key's figures could be asked for: {state.unanswered}."
    return {
        "status": state.status.value,
        "scope": state.scope.value,
        "unlimited": state.unlimited,
        "remaining_quota": state.remaining_quota,
        "used_quota": state.used_quota,
        "remaining": _amount(site, state.remaining_quota),
        "used": _amount(site, state.used_quota),
        "expires_at": state.expires_at,
        "models": None if models is None else list(models),
        "error": error,
    }


async def _models(client: Client) -> tuple[Sequence[str] | None, str | None]:
    try:
        return await client.key_models(), None
    except RefusedError:
        # The state of the key says why.
        return None, None
    except GatewayError as err:
        return None, f"The models cannot be listed: {err}."


async def _ask_account(
    client: Client, site: Site, credentials: Credentials
) -> tuple[dict[str, Any] | None, Sequence[AccountKey]]:
    if credentials.access_token is None:
        return None, ()
    try:
        account = await client.account()
    except RefusedError as err:
        status, error = _ACCOUNT_SAYS[err.reason]
        return _account(site, None) | {"status": status, "error": error}, ()
    try:
        keys = await client.keys(site)
    except GatewayError as err:
        error = f"The keys cannot be listed: {err}."
        return _account(site, account) | {"error": error}, ()
    return _account(site, account) | {"keys": [_listed(key) for key in keys]}, keys


def _account(site: Site, account: Account | None) -> dict[str, Any]:
    return {
        "status": "active",
        "id": account and account.id,
        "username": account and account.username,
        "group": account and account.group,
        "remaining_quota": account and account.remaining_quota,
        "used_quota": account and account.used_quota,
        "remaining": account and _amount(site, account.remaining_quota),
        "used": account and _amount(site, account.used_quota),
        "request_count": account and account.request_count,
        "keys": None,
        "error": None,
    }


def _listed(key: AccountKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "status": key.status.value,
        "unlimited": key.unlimited,
        "remaining_quota": key.remaining_quota,
        "used_quota": key.used_quota,
        "expires_at": key.expires_at,
    }


def _amount(site: Site, raw: int | None) -> str | None:
    amount = site.unit.amount(raw)
    return None if amount is None else f"{amount:f}"


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)


def summary(answer: Mapping[str, Any]) -> str:
    """Return an answer as a person reads it."""
    site, key, account = answer["site"], answer["key"], answer["account"]
    unit = site["unit"]["code"] or site["unit"]["symbol"] or "quota"
    lines = [
        f"{site['name'] or 'Unnamed site'} at {site['url']}",
        f"  family: {site['family']}, version: {site['version'] or 'unknown'}",
        f"  shows {unit}, {site['quota_per_unit'] or 'no usable'} raw quota per unit",
    ]
    if key:
        lines += _figures("API key", key, unit)
        lines.append(f"  figures of: {key['scope']}")
        if key["models"] is not None:
            lines.append(f"  models: {len(key['models'])}")
    if account:
        who = f"Account {account['username'] or ''}".rstrip()
        lines += _figures(who, account, unit)
        if account["request_count"] is not None:
            lines.append(f"  requests: {account['request_count']}")
        if account["keys"] is not None:
            lines.append(f"  keys: {len(account['keys'])}")
    if not key and not account:
        lines.append(f"Set {KEY}, or {USER_ID} and {ACCESS_TOKEN}, to ask for figures.")
    return "\n".join(_printable(line) for line in lines)


def _printable(line: str) -> str:
    """Return a line that steers no terminal, whatever the site calls itself."""
    return "".join(each if each.isprintable() else "?" for each in line)


def _figures(title: str, about: Mapping[str, Any], unit: str) -> list[str]:
    lines = [f"{title}: {about['status']}"]
    if about["error"]:
        lines.append(f"  {about['error']}")
    remaining = "unlimited" if about.get("unlimited") else about["remaining"]
    lines += [
        f"  {name}: {value} {unit if value != 'unlimited' else ''}".rstrip()
        for name, value in (("remaining", remaining), ("used", about["used"]))
        if value is not None
    ]
    return lines


def credentials_from(environment: Mapping[str, str], *, terminal: bool) -> Credentials:
    """Return the credentials of the environment, or ask for them on the terminal."""
    values = {name: environment.get(name) for name in (KEY, USER_ID, ACCESS_TOKEN)}
    if terminal and not any(values.values()):
        sys.stderr.write("Nothing typed here is shown; press Enter to leave one out.\n")
        values[KEY] = getpass("API key: ")
        values[ACCESS_TOKEN] = getpass("System access token: ")
        if values[ACCESS_TOKEN]:
            values[USER_ID] = getpass("User ID: ")
    return Credentials.from_text(
        key=values[KEY], user_id=values[USER_ID], access_token=values[ACCESS_TOKEN]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, print, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="scripts/ask",
        description="Ask a New API / One API gateway what it says of a key or account.",
        epilog=(
            f"The credentials come from {KEY}, {USER_ID} and {ACCESS_TOKEN}, "
            "or are asked for on the terminal."
        ),
    )
    parser.add_argument("url", help="address of the site")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--unencrypted",
        action="store_true",
        help="send credentials in plain text to a public host anyway",
    )
    options, others = parser.parse_known_args(arguments)
    if others:
        # They are not repeated: one of them may be meant as a credential.
        parser.error("one address, --json and --unencrypted are all that can be given")
    try:
        credentials = credentials_from(os.environ, terminal=sys.stdin.isatty())
        answer = asyncio.run(
            ask(options.url, credentials, unencrypted=options.unencrypted)
        )
    except* GatewayError as errors:
        error = f"{errors.exceptions[0]}."
    else:
        print(json.dumps(answer) if options.json else summary(answer))
        return 0
    if options.json:
        print(json.dumps({"error": error}))
    sys.stderr.write(f"{error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
