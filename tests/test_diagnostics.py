"""Diagnostics: enough to help, and nothing that is nobody's business."""

import json
from typing import Any, Final

import pytest
from pytest_homeassistant_custom_component.components import diagnostics as download  # type: ignore[import-untyped]
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator  # type: ignore[import-untyped]
from syrupy.assertion import SnapshotAssertion

from custom_components.new_api.diagnostics import async_get_config_entry_diagnostics
from homeassistant.config_entries import ConfigEntry
from homeassistant.setup import async_setup_component
from tests.home import HOURLY, Home, Site
from tests.simulator import Answer, Rewrite

KEY: Final = "Home Assistant"

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


@subjects
async def test_diagnostics(
    home: Home,
    site: Site,
    subject: dict[str, Any],
    hass_client: ClientSessionGenerator,
    snapshot: SnapshotAssertion,
) -> None:
    """Everything that was read is there, without names and secrets."""
    site.gateway.world.delete_key("Homework")
    entry = await home.add(site, **subject)
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
    ):
        assert private not in text
    for view in diagnostics["views"].values():
        if view is not None:
            # It is not the same each time.
            assert 300 <= view.pop("update_interval") <= 3960
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


@subjects
async def test_trouble(home: Home, site: Site, subject: dict[str, Any]) -> None:
    """What went wrong can be seen, in as few words as are safe."""
    entry = await home.add(site, **subject)
    site.gateway.faults.add("*", Answer(502))
    await home.pass_time(HOURLY)
    await home.poll()
    # The download is a matter of a session that has ended by now.
    diagnostics = await async_get_config_entry_diagnostics(home.hass, entry)
    del diagnostics["views"]["models"]
    for view in diagnostics["views"].values():
        if view is not None:
            assert view["last_update_success"] is False
            assert view["last_error"] == "ServerTroubleError"
    site.gateway.faults.clear()
    await home.pass_time(HOURLY)
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
