"""Diagnostics: enough to help, and nothing that is nobody's business."""

from datetime import timedelta
import json
from typing import Any, Final

import pytest
from pytest_homeassistant_custom_component.components import diagnostics as download  # type: ignore[import-untyped]
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator  # type: ignore[import-untyped]
from syrupy.assertion import SnapshotAssertion

from custom_components.new_api.diagnostics import async_get_config_entry_diagnostics
from homeassistant.config_entries import ConfigEntry
from homeassistant.setup import async_setup_component
from tests.home import HOURLY, Home, Site, household
from tests.household import KEY
from tests.simulator import DIALECTS, Answer, Heartbeat, Monitor, Offer, Rewrite

_HTML: Final = (("Content-Type", "text/html; charset=utf-8"),)

SUBJECTS: Final[dict[str, dict[str, Any]]] = {
    "key alone": {"key": KEY},
    "account alone": {"user": "wang"},
    "both": {"key": KEY, "user": "wang"},
}

subjects = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)


async def downloaded(
    home: Home, hass_client: ClientSessionGenerator, entry: ConfigEntry
) -> Any:
    """Download the diagnostics as a person does."""
    assert await async_setup_component(home.hass, "diagnostics", {})
    return await download.get_diagnostics_for_config_entry(
        home.hass, hass_client, entry
    )


PERSONAL: Final = ("Pro of the house", "Rack 5", "Half price on Friday", "Down at noon")
"""Texts that the owner of a site has written."""


def lively(site: Site) -> None:
    """Let there be something of all that a site can have."""
    gateway = site.gateway
    world = gateway.world
    world.delete_key("Homework")
    plan, group, told, notice = PERSONAL
    gateway.configure(check_in=True, notice=notice)
    gateway.announce(told)
    world.monitors = [
        Monitor(category=group, name="a"),
        Monitor(category=group, name="b", status=Heartbeat.DOWN),
    ]
    world.offers = [Offer(id=1, title=plan, total=5_000_000)]
    gateway.subscribe("wang", world.offers[0]).amount_used = 1_000_000
    world.order("wang", 10)
    gateway.spend(KEY, 500_000, model="gpt-5-mini")
    gateway.spend("Claude Code", 250_000, model="deepseek-chat")


def saying(**said: str) -> Rewrite:
    """Return how a site says something else of itself."""
    return Rewrite(lambda reply: {**reply, "data": reply["data"] | said})


@subjects
async def test_diagnostics(
    home: Home,
    site: Site,
    subject: dict[str, Any],
    hass_client: ClientSessionGenerator,
    snapshot: SnapshotAssertion,
) -> None:
    """Everything that was read is there, without names and secrets."""
    lively(site)
    entry = await home.add(site, **subject)
    # Not everything has room at once.
    await home.poll()
    diagnostics = await downloaded(home, hass_client, entry)
    text = json.dumps(diagnostics, ensure_ascii=False)
    for private in (
        *site.secrets,
        site.url,
        "127.0.0.1",
        "wang",
        KEY,
        "Claude Code",
        "Juhe",
        "gpt-5-mini",
        "default",
        *PERSONAL,
    ):
        assert private not in text
    for view in diagnostics["views"].values():
        if view is not None:
            # It is not the same each time.
            assert view.pop("update_interval") >= 60
    for outcome in (
        *diagnostics["questions"].values(),
        *(each["last"] for each in diagnostics["endpoints"].values()),
    ):
        # Neither is it, nor whose turn was when.
        assert outcome.pop("milliseconds") >= 0
        assert outcome.pop("at").startswith("2026-11-23T08:")
    # Nor how often it was the turn of each.
    assert diagnostics["budget"].pop("general_calls") >= 2
    for endpoint in diagnostics["endpoints"].values():
        assert endpoint.pop("asked") >= 1
    assert diagnostics == snapshot


async def test_figures(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """The raw figures are those of the site."""
    entry = await home.add(site, key=KEY, user="wang")
    diagnostics = await downloaded(home, hass_client, entry)
    assert diagnostics["account"]["remaining_quota"] == 45_005_000
    assert diagnostics["account"]["used_quota"] == 101_150_000
    assert diagnostics["configured_key"]["remaining_quota"] == 12_500_000
    assert diagnostics["site"]["quota_per_unit"] == "500000"
    assert {key["configured"] for key in diagnostics["listed_keys"]} == {True, False}


async def test_options(home: Home, site: Site) -> None:
    """They tell neither what a site calls its unit nor the ids of keys."""
    entry = await home.add(
        site,
        user="wang",
        key_devices="chosen",
        keys=["3"],
        warnings={"unit": "蒸汽币", "low_balance": 5},
    )
    diagnostics = await async_get_config_entry_diagnostics(home.hass, entry)
    options = diagnostics["entry"]["options"]
    assert options["warnings"] == {"unit": "**REDACTED**", "low_balance": 5}
    assert options["keys"] == "**REDACTED**"
    assert options["key_devices"] == "chosen"


async def test_details(home: Home, site: Site) -> None:
    """Of what else there is they have figures, and numbers instead of names."""
    lively(site)
    entry = await home.add(site, key=KEY, user="wang")
    # Statistics come late, and not everything has room at once.
    for _ in range(2):
        await home.pass_time(HOURLY)
    # The download is a matter of a session that has ended by now.
    diagnostics = await async_get_config_entry_diagnostics(home.hass, entry)
    assert diagnostics["spending"]["today"]["quota"] == 750_000
    assert diagnostics["usage"]["models_today"]["number"] == 2
    assert diagnostics["usage"]["models_today"]["quota"] == 750_000
    assert diagnostics["usage"]["keys_today"] == {"number": 2, "quota": 750_000}
    (plan,) = diagnostics["plans"]
    # It has paid for what was spent, too.
    assert (plan["total"], plan["used"]) == (5_000_000, 1_750_000)
    assert plan["title"] == plan["plan_id"] == "**REDACTED**"
    assert diagnostics["offers"]["check_in"]["is_available"] is True
    assert diagnostics["offers"]["pending_top_ups"] == 1
    assert diagnostics["news"]["announcements"] == 1
    assert diagnostics["news"]["seen"] == {"announcements": 1, "notices": 1}
    assert diagnostics["news"]["monitors"] == {"number": 2, "down": 1}
    assert diagnostics["history"]["gaps"] == {}
    site.gateway.configure(data_export=False)
    for _ in range(2):
        await home.pass_time(HOURLY)
    diagnostics = await async_get_config_entry_diagnostics(home.hass, entry)
    assert diagnostics["usage"]["models_today"] is None
    assert diagnostics["history"]["gaps"].keys() == {"statistics"}


@subjects
async def test_trouble(home: Home, site: Site, subject: dict[str, Any]) -> None:
    """What went wrong can be seen, in as few words as are safe."""
    entry = await home.add(site, **subject)
    site.gateway.faults.add("*", Answer(502))
    await home.pass_time(HOURLY)
    await home.poll()
    # The download is a matter of a session that has ended by now.
    diagnostics = await async_get_config_entry_diagnostics(home.hass, entry)
    # Details are not asked for while there are no figures.
    for name in ("site", "account", "keys"):
        view = diagnostics["views"][name]
        if view is not None:
            assert view["last_update_success"] is False
            assert view["last_error"] == "ServerTroubleError"
    site.gateway.faults.clear()
    await home.pass_time(HOURLY)
    # What else there is comes after the figures.
    await home.poll(2)
    diagnostics = await async_get_config_entry_diagnostics(home.hass, entry)
    for view in diagnostics["views"].values():
        if view is not None:
            assert view["last_update_success"] is True


async def test_account_that_is_not_known(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """What was never read is not there."""
    site.gateway.faults.add("/api/user/*", Answer(502))
    site.gateway.faults.add("/api/token/", Answer(502))
    entry = await home.add(site, key=KEY, user="wang")
    diagnostics = await downloaded(home, hass_client, entry)
    assert diagnostics["account"] is None
    assert diagnostics["listed_keys"] is None
    assert diagnostics["configured_key"]["status"] == "active"


@pytest.mark.parametrize(
    "answer",
    [Answer(502), Answer(301, headers=(("Location", "https://moved.example/"),))],
    ids=["trouble", "moved"],
)
async def test_entry_that_does_not_work(
    home: Home, site: Site, hass_client: ClientSessionGenerator, answer: Answer
) -> None:
    """They can be had where they are needed most: of an entry that does not start."""
    site.gateway.faults.add("*", answer)
    entry = await home.add(site, key=KEY, user="wang")
    text = json.dumps(await downloaded(home, hass_client, entry))
    assert "setup_retry" in text
    for private in (*site.secrets, "127.0.0.1", "moved.example", "wang"):
        assert private not in text


async def test_what_is_known_of_an_entry_that_does_not_work(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """They tell what answers instead of a gateway, and how often it was asked."""
    site.gateway.faults.add("*", Answer(200, "<p>wang</p>", _HTML))
    entry = await home.add(site, key=KEY, user="wang")
    diagnostics = await downloaded(home, hass_client, entry)
    assert diagnostics["entry"]["state"] == "setup_retry"
    assert diagnostics["entry"]["reason"] == "not_a_gateway"
    assert diagnostics["questions"]["site"]["error"] == "NotAGatewayError"
    assert diagnostics["endpoints"]["/api/status"]["asked"] == 1
    assert diagnostics["unexpected_replies"] == {
        "/api/status": {
            "at": "2026-11-23T08:15:00+00:00",
            "error": "NotAGatewayError",
            "problem": "A web page or file answers, not a gateway",
            "received": {
                "status": 200,
                "content_type": "text/html",
                "length": 11,
                "shape": None,
            },
        }
    }
    site.gateway.faults.clear()
    await home.pass_time(timedelta(minutes=2))
    diagnostics = await async_get_config_entry_diagnostics(home.hass, entry)
    assert diagnostics["entry"]["state"] == "loaded"
    assert diagnostics["questions"]["site"]["error"] is None
    # What was is not forgotten.
    assert "/api/status" in diagnostics["unexpected_replies"]


async def test_site_of_an_entry_that_does_not_work(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """What the site is stands there also where it shows nothing else."""
    site.gateway.faults.add("/api/user/*", Answer(502))
    site.gateway.faults.add("/api/token/", Answer(502))
    site.gateway.faults.add("/v1/*", Answer(502))
    entry = await home.add(site, key=KEY, user="wang")
    diagnostics = await downloaded(home, hass_client, entry)
    assert diagnostics["entry"]["state"] == "setup_retry"
    assert diagnostics["site"] == {
        "family": "new_api",
        "version": DIALECTS["new_api_main"].version,
        "display_type": "USD",
        "quota_per_unit": "500000",
    }
    assert diagnostics["questions"]["account"]["error"] == "ServerTroubleError"


async def test_entry_that_did_not_ask_itself(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """What one entry found out about the site, the others on it tell as well."""
    site.gateway.faults.add("/api/status", Answer(200, "<p>", _HTML))
    await home.add(site, key=KEY)
    entry = await home.add(site, user="wang", entry_id="another")
    assert site.asked("/api/status") == 1
    diagnostics = await downloaded(home, hass_client, entry)
    assert diagnostics["entry"]["state"] == "setup_retry"
    assert diagnostics["questions"].keys() == {"site"}
    assert diagnostics["unexpected_replies"].keys() == {"/api/status"}


async def test_unexpected_reply(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """What cannot be read shows its shape, and only that."""

    def change(reply: dict[str, Any]) -> dict[str, Any]:
        reply["data"] = {
            "quota": "very-private-figure",
            "quotas": {"very-private-model": 1},
        }
        return reply

    site.gateway.faults.add("/api/user/self", Rewrite(change))
    entry = await home.add(site, key=KEY, user="wang")
    diagnostics = await downloaded(home, hass_client, entry)
    unexpected = diagnostics["unexpected_replies"]["/api/user/self"]
    assert unexpected["received"]["shape"]["fields"]["data"] == {
        "object": 2,
        "fields": {"quota": "text(19)"},
    }
    assert diagnostics["endpoints"]["/api/user/self"]["last"]["error"] == (
        "UnexpectedReplyError"
    )
    assert "very-private" not in json.dumps(diagnostics)


async def test_capabilities(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """What a site has and what it has not can be seen."""
    no_endpoint = json.dumps({"error": {"message": "Invalid URL"}})
    site.gateway.faults.add("/api/user/models", Answer.json(404, no_endpoint))
    entry = await home.add(site, user="wang")
    diagnostics = await downloaded(home, hass_client, entry)
    assert {"/api/status", "/api/token/", "/api/user/self"} <= set(
        diagnostics["capabilities"]["found"]
    )
    assert diagnostics["capabilities"]["missing"] == ["/api/user/models"]


async def test_budget(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """How long a site does not want to be asked can be seen."""
    limited = Answer(429, headers=(("Retry-After", "600"),))
    site.gateway.faults.add("/v1/models", limited)
    entry = await home.add(site, key=KEY)
    budget = (await downloaded(home, hass_client, entry))["budget"]
    assert budget["closed"] == {"models": 600}
    # Models are counted nowhere.
    assert budget["general_calls"] == len(site.gateway.requests) - 1
    assert len(budget["critical_calls"]) == site.asked("/api/usage/token/")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("USD", "USD"),
        ("CNY", "CNY"),
        ("TOKENS", "TOKENS"),
        ("CUSTOM", "CUSTOM"),
        ("wang@example.org", "unknown"),
    ],
)
async def test_display_type(
    home: Home,
    site: Site,
    hass_client: ClientSessionGenerator,
    said: str,
    shown: str,
) -> None:
    """The display type is one of those that there are, or unknown."""
    site.gateway.faults.add("/api/status", saying(quota_display_type=said))
    entry = await home.add(site, user="wang")
    diagnostics = await downloaded(home, hass_client, entry)
    assert diagnostics["site"]["display_type"] == shown
    assert "example.org" not in json.dumps(diagnostics)


@pytest.mark.parametrize("server", DIALECTS)
async def test_version(
    home: Home, server: str, hass_client: ClientSessionGenerator
) -> None:
    """The version is shown as each server says it."""
    site = await home.serve(household(server))
    entry = await home.add(site, user="wang")
    shown = (await downloaded(home, hass_client, entry))["site"]
    assert shown["version"] == DIALECTS[server].version


@pytest.mark.parametrize(
    "said", ["wang@example.org", "api.example.org", "0123456789abcdef0123456789abcdef"]
)
async def test_version_that_is_none(
    home: Home, hass_client: ClientSessionGenerator, said: str
) -> None:
    """What stands there and is no version may be anything."""
    site = await home.serve(household("one_api"))
    site.gateway.faults.add("/api/status", saying(version=said))
    entry = await home.add(site, user="wang")
    diagnostics = await downloaded(home, hass_client, entry)
    assert diagnostics["site"]["version"] is None
    assert said not in json.dumps(diagnostics)


async def test_what_a_site_says_too_much(
    home: Home, site: Site, hass_client: ClientSessionGenerator
) -> None:
    """What some forks send along is not kept (gateway_api.md 6.1)."""

    def talkative(reply: dict[str, Any]) -> dict[str, Any]:
        secret = {"access_token": "talkative-secret", "email": "wang@example.org"}
        reply["data"] |= secret | {"setting": json.dumps(secret)}
        return reply

    site.gateway.faults.add("/api/user/self", Rewrite(talkative))
    entry = await home.add(site, key=KEY, user="wang")
    text = json.dumps(await downloaded(home, hass_client, entry))
    assert "talkative" not in text
    assert "example.org" not in text
