"""The examples of the README do what is said of them."""

from datetime import timedelta
from typing import Any, Final

from freezegun.api import FrozenDateTimeFactory
import pytest

from custom_components.new_api.const import DOMAIN
from homeassistant.components.recorder import core
from homeassistant.components.recorder.statistics import list_statistic_ids
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from tests.home import HOURLY, Home, household
from tests.restarts import restart
from tests.simulator import DIALECTS, Answer, Gateway, Model, Options, World

from .pages import DOLLAR, code_of, languages, page

# What the automations of the README wait for.
LOW: Final = "binary_sensor.juhe_ai_alice_low_balance"
TOP_UP: Final = "event.juhe_ai_alice_top_up"
MODELS: Final = "event.juhe_ai_alice_models"
KEY: Final = "sensor.claude_code_status"


@pytest.fixture
async def gateway(home: Home) -> Gateway:
    """Serve the site of the examples: Alice has $6 and a key for Claude Code."""
    world = World(models=[Model(name="gpt-5-mini")])
    alice = world.add_user("alice", quota=6 * DOLLAR)
    world.add_key(alice, "Claude Code", quota=2 * DOLLAR)
    gateway = Gateway(world, DIALECTS["new_api_main"], Options(system_name="Juhe AI"))
    warnings = {"low_balance": 5, "unit": "USD"}
    await home.add(await home.serve(gateway), user="alice", warnings=warnings)
    return gateway


async def automate(hass: HomeAssistant, language: str, trigger: str) -> list[str]:
    """Run the automation of the README that an entity triggers.

    Returns the messages that it sends.
    """
    messages: list[str] = []

    async def notify(call: ServiceCall) -> None:
        messages.append(call.data["message"].strip())

    hass.services.async_register("notify", "notify", notify)
    (automations,) = (
        code["automation"]
        for code in code_of(language)
        if "automation" in code and trigger in str(code["automation"][0]["triggers"])
    )
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()
    assert len(hass.states.async_all("automation")) == 1
    return messages


@languages
def test_each_example_is_tried(language: str) -> None:
    """There are no automations and cards but those that are tried here."""
    examples = code_of(language)
    automations = [each["automation"] for each in examples if "automation" in each]
    assert all(len(each) == 1 for each in automations)
    triggers = [str(each[0]["triggers"]) for each in automations]
    for tried, trigger in zip((LOW, TOP_UP, MODELS, KEY), triggers, strict=True):
        assert tried in trigger
    cards = [each["type"] for each in examples if "automation" not in each]
    assert cards == ["statistics-graph", "statistic"]


@languages
async def test_example_of_a_low_balance(
    home: Home, gateway: Gateway, language: str
) -> None:
    """It is told once, with the amount, and again only after there was more."""
    messages = await automate(home.hass, language, LOW)
    await home.poll(6)
    assert messages == []
    gateway.spend("Claude Code", round(1.5 * DOLLAR))
    await home.poll(6)
    assert len(messages) == 1
    assert "4.50 USD" in messages[0]
    gateway.spend("Claude Code", DOLLAR // 4)
    await home.poll(6)
    assert len(messages) == 1
    gateway.world.top_up("alice", 2 * DOLLAR)
    await home.poll(6)
    gateway.world.user("alice").quota = DOLLAR
    await home.poll(6)
    assert len(messages) == 2
    assert "1.00 USD" in messages[1]


@languages
async def test_example_of_a_low_balance_over_a_restart(
    home: Home, gateway: Gateway, language: str
) -> None:
    """Who knows that it is low is not told again by a start of Home Assistant."""
    gateway.spend("Claude Code", round(1.5 * DOLLAR))
    await home.poll(2)
    messages = await automate(home.hass, language, LOW)
    await restart(home, home.entries[0])
    await home.poll(6)
    assert messages == []


@languages
async def test_example_of_a_top_up(home: Home, gateway: Gateway, language: str) -> None:
    """It is told once that money came in, with what is there now."""
    messages = await automate(home.hass, language, TOP_UP)
    await home.poll(6)
    assert messages == []
    gateway.world.top_up("alice", 10 * DOLLAR)
    await home.poll(6)
    assert len(messages) == 1
    assert "16.0 USD" in messages[0]
    await restart(home, home.entries[0])
    await home.poll(6)
    assert len(messages) == 1


@languages
async def test_example_of_new_models(
    home: Home, gateway: Gateway, language: str
) -> None:
    """New models are told once, by their names, and old ones never."""
    messages = await automate(home.hass, language, MODELS)
    await home.pass_time(HOURLY)
    gateway.world.add_model("glm-5")
    gateway.world.add_model("qwen4")
    await home.pass_time(HOURLY)
    assert len(messages) == 1
    assert "glm-5" in messages[0]
    assert "qwen4" in messages[0]
    await restart(home, home.entries[0])
    await home.pass_time(HOURLY)
    assert len(messages) == 1


@languages
async def test_example_of_models_that_came_meanwhile(
    home: Home, gateway: Gateway, language: str
) -> None:
    """What is new since Home Assistant was stopped is told after the start."""
    messages = await automate(home.hass, language, MODELS)
    await home.pass_time(HOURLY)
    entry = home.entries[0]
    assert await home.hass.config_entries.async_unload(entry.entry_id)
    gateway.world.add_model("glm-5")
    await home.pass_time(timedelta(days=1))
    await restart(home, entry)
    await home.pass_time(HOURLY)
    assert len(messages) == 1
    assert "glm-5" in messages[0]


@languages
@pytest.mark.parametrize(
    ("happens", "called"),
    [("disable_key", "Disabled"), ("expire_key", "Expired")],
)
async def test_example_of_a_key(
    home: Home, gateway: Gateway, language: str, happens: str, called: str
) -> None:
    """It is told once, with the state as the home calls it."""
    messages = await automate(home.hass, language, KEY)
    await home.poll()
    assert messages == []
    getattr(gateway.world, happens)("Claude Code")
    await home.pass_time(timedelta(minutes=6))
    await home.poll(2)
    assert len(messages) == 1
    assert called in messages[0]


@languages
async def test_example_of_a_key_while_the_site_is_down(
    home: Home, gateway: Gateway, language: str
) -> None:
    """A site that does not answer is no news of the key."""
    messages = await automate(home.hass, language, KEY)
    await home.poll()
    gateway.faults.add("*", Answer(502))
    await home.poll(2)
    assert home.state("claude_code_status") == "unavailable"
    gateway.faults.clear()
    await home.poll(2)
    assert home.state("claude_code_status") == "active"
    assert messages == []


@languages
async def test_examples_of_statistics(
    clock: FrozenDateTimeFactory,
    hass_storage: dict[str, Any],
    recorder_mock: core.Recorder,
    home: Home,
    language: str,
) -> None:
    """The statistics of the cards are called as those that are written."""
    graph, number = (each for each in code_of(language) if "automation" not in each)
    named = {*graph["entities"], number["entity"]}
    entries = {each.removeprefix(f"{DOMAIN}:").split("_")[0] for each in named}
    (entry_id,) = entries
    gateway = household()
    for model in ("claude-haiku-4-5", "gpt-5-mini"):
        gateway.spend("Home Assistant", DOLLAR, model=model)
    await home.pass_time(HOURLY)
    site = await home.serve(gateway)
    home.hass.config.language = language
    await home.add(site, user="wang", entry_id=entry_id.upper())
    await home.poll(6)
    written = {
        each["statistic_id"]: each["name"]
        for each in await get_instance(home.hass).async_add_executor_job(
            list_statistic_ids, home.hass
        )
        if each["source"] == DOMAIN
    }
    assert named <= set(written)
    # By the name of one of them, people find them.
    name = written[number["entity"]].replace("wang", "alice")
    assert name.partition("(")[2] in page("README", language)
