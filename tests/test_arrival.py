"""What a site gives away that nobody asked for is dropped as soon as it arrives.

The plugin `tests.secrecy` searches everything else for it after each test.
"""

from collections.abc import Callable
from hashlib import sha256
import json
from typing import Any, Final

import pytest

from tests.home import HOURLY, Home, Site, household, works
from tests.household import KEY
from tests.secrecy.held import held_by
from tests.secrecy.plugin import leaks_in
from tests.secrecy.search import Search, Secret
from tests.simulator import Reword

SERVERS: Final = ("new_api_main", "new_api_rc21", "new_api_0_9", "one_api", "one_hub")


def made_up(what: str) -> str:
    """Return a text that stands nowhere else."""
    return sha256(what.encode()).hexdigest()[:40]


# What servers send that a poller has no use for (gateway_api.md 6.1, 6.5 and trap 25).
SETTING: Final = {
    "bark_url": f"https://bark.example.org/{made_up('bark')}/",
    "gotify_token": made_up("gotify_token"),
    "gotify_url": f"https://gotify.example.org/{made_up('gotify')}",
    "notification_email": f"{made_up('notification')}@example.org",
    "webhook_secret": made_up("webhook_secret"),
    "webhook_url": f"https://hooks.example.org/{made_up('webhook')}",
}
PERSONAL: Final = {
    "access_token": made_up("access_token"),
    "aff_code": made_up("aff_code"),
    "allow_ips": "203.0.113.77",
    "discord_id": made_up("discord_id"),
    "email": f"{made_up('email')}@example.org",
    "github_id": made_up("github_id"),
    "ip": "203.0.113.78",
    "linux_do_id": made_up("linux_do_id"),
    "oidc_id": made_up("oidc_id"),
    "stripe_customer": made_up("stripe_customer"),
    "telegram_id": made_up("telegram_id"),
    "verification_code": made_up("verification_code"),
    "wechat_id": made_up("wechat_id"),
}
GIVEN_AWAY: Final = Search(
    Secret(name, value, only_whole="." in value)
    for name, value in (SETTING | PERSONAL).items()
)


def generous(value: Any) -> Any:
    """Add everything that is secret to every object there is."""
    if isinstance(value, list):
        return [generous(each) for each in value]
    if isinstance(value, dict):
        more = {name: generous(each) for name, each in value.items()}
        # A list of keys is of no use without them.
        return {"key": made_up("key")} | more | PERSONAL | {"setting": _SETTING}
    return value


_SETTING: Final = json.dumps(SETTING)


def confused(value: Any) -> Any:
    """Write numbers as nobody does."""
    if isinstance(value, list):
        return [confused(each) for each in value]
    if isinstance(value, dict):
        return {name: confused(each) for name, each in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value} or so"
    return value


def reworded(*changes: Callable[[Any], Any]) -> Reword:
    """Change what is JSON."""

    def reword(body: bytes) -> bytes:
        try:
            said = json.loads(body)
        except ValueError:
            return body
        for change in changes:
            said = change(said)
        return json.dumps(said).encode()

    return Reword(reword)


def texts_held_for(home: Home) -> list[tuple[str, str]]:
    """Return all texts that the integration keeps in memory."""
    kept = [entry.runtime_data for entry in home.entries]
    kept += [each for key, each in home.hass.data.items() if "new_api" in str(key)]
    return [*held_by(("the memory", each) for each in kept)]


def assert_dropped(home: Home, site: Site) -> None:
    """Check that nothing is left of it, nor of the site's other keys."""
    held = texts_held_for(home)
    assert "Claude Code" in {text for _, text in held}
    assert leaks_in(held, GIVEN_AWAY) == []
    keys = site.gateway.world.keys.values()
    secrets = Search(Secret(key.name, key.secret) for key in keys)
    assert leaks_in(held, secrets) == []


@pytest.mark.parametrize("server", SERVERS)
async def test_dropped_on_arrival(home: Home, server: str) -> None:
    """Every reply says everything there is to say; what is kept are the figures."""
    site = await home.serve(household(server))
    site.gateway.faults.add("*", reworded(generous))
    entry = await home.create(site.form(key=KEY, user="wang"))
    await home.create(site.form(key="Homework"))
    await home.pass_time(HOURLY)
    assert works(entry)
    assert home.state("juhe_ai_wang_remaining_quota") == "90.01"
    assert_dropped(home, site)


@pytest.mark.parametrize("server", SERVERS)
async def test_dropped_from_what_makes_no_sense(home: Home, server: str) -> None:
    """So it is where the rest of the reply cannot be read, and an error says so."""
    site = await home.serve(household(server))
    entry = await home.create(site.form(key=KEY, user="wang"))
    site.gateway.faults.add("*", reworded(confused, generous))
    await home.pass_time(HOURLY)
    assert works(entry)
    assert home.state("juhe_ai_wang_remaining_quota") == "unavailable"
    assert_dropped(home, site)
