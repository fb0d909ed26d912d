"""Whatever the integration shows is explained, by the name that it shows."""

from collections import defaultdict
import re
from typing import Final

import pytest

from custom_components.new_api.gateway.models import KeyStatus
from custom_components.new_api.issues import Issue
from homeassistant.helpers import entity_registry as er
from tests.home import Home, household
from tests.reader import LANGUAGES
from tests.simulator import DIALECTS, Gateway, Monitor, Offer

from .pages import (
    DOLLAR,
    FIGURES,
    SUFFIXES,
    languages,
    page,
    table_headed,
    table_with,
    tables,
    texts,
)

# What heads the table of the entities of a device, by its model.
DEVICES: Final = {
    "Account": {"en": "Account", "zh-Hans": "账户"},
    "API key": {"en": "API key", "zh-Hans": "API 密钥"},
    "Plan": {"en": "Plan", "zh-Hans": "套餐"},
}
DISABLED: Final = {"en": "Disabled at first", "zh-Hans": "默认停用"}

# What is wrong with a form itself, of which the message says all that can be done.
OF_FORMS: Final = {
    "access_token_required",
    "already_configured",
    "credential_rejected",
    "invalid_characters",
    "invalid_url",
    "nothing_given",
    "user_id_not_a_number",
}


@languages
def test_readme_names_all_fields(language: str) -> None:
    """All forms are explained, with the names that they show."""
    options = texts(language)["options"]["step"]["init"]
    for form, count in (
        (texts(language)["config"]["step"]["user"], 4),
        (options, 4),
        (options["sections"]["warnings"], 5),
    ):
        fields = list(form["data"].values())
        assert [row[0] for row in table_with(fields[0], language)] == fields
        assert len(fields) == count
    section = options["sections"]["warnings"]["name"]
    assert f"**{section}**" in page("README", language)


def everything(server: str = "new_api_main") -> Gateway:
    """Return a gateway that has all that can be shown, as far as its server can."""
    gateway = household(server)
    gateway.configure(check_in=True, uptime_kuma=True)
    gateway.world.monitors = [Monitor(category="OpenAI", name="GPT")]
    offer = Offer(id=7, title="Pro", total=50 * DOLLAR)
    gateway.world.offers = [offer]
    gateway.subscribe("wang", offer)
    return gateway


def shown(home: Home, language: str) -> dict[str, dict[str, bool]]:
    """Return the names of all entities by the model of their device.

    And whether they are disabled at first, on any of the devices.
    """
    named: defaultdict[str, dict[str, bool]] = defaultdict(dict)
    for device in home.devices():
        assert device.model is not None
        of_model = named[device.model]
        for entity in er.async_entries_for_device(
            er.async_get(home.hass), device.id, include_disabled_entities=True
        ):
            assert entity.translation_key is not None
            said = texts(language)["entity"][entity.domain][entity.translation_key]
            name = re.sub(r"\{\w+\}", "…", said["name"])
            is_disabled = entity.disabled_by is not None
            of_model[name] = of_model.get(name, False) or is_disabled
    return named


@languages
async def test_readme_names_all_entities(home: Home, language: str) -> None:
    """Each entity has a row with its device, which says whether it is disabled."""
    site = await home.serve(everything())
    await home.add(site, key="Home Assistant", user="wang")
    await home.poll(6)
    entities = shown(home, language)
    assert set(entities) == set(DEVICES)
    for model, heads in DEVICES.items():
        rows = table_headed(heads[language], "README", language)
        said = {row[0]: DISABLED[language] in row[1] for row in rows}
        assert said == entities[model]
        assert len(said) == len(rows)


@languages
async def test_readme_names_what_is_on_a_key_alone(home: Home, language: str) -> None:
    """What stands with the account is said to stand with the key, without one."""
    site = await home.serve(everything())
    await home.add(site, key="Home Assistant")
    await home.poll(6)
    (entities,) = shown(home, language).values()
    rows = table_headed(DEVICES["API key"][language], "README", language)
    names = {row[0] for row in rows}
    assert names <= set(entities)
    more = set(entities) - names - {"…: …", "…：…"}
    assert len(more) == 3
    text = page("README", language)
    assert any(all(each in line for each in more) for line in text.splitlines())


@languages
def test_readme_names_all_states(language: str) -> None:
    """Each state of an account and of a key stands in its row."""
    entities = texts(language)["entity"]["sensor"]
    for entity, model in (("account_status", "Account"), ("key_status", "API key")):
        name, states = entities[entity]["name"], entities[entity]["state"]
        rows = table_headed(DEVICES[model][language], "README", language)
        (said,) = (row[1].lower() for row in rows if row[0] == name)
        for state in states.values():
            assert state.lower() in said


@languages
def test_page_explains_all_figures(language: str) -> None:
    """Whatever the README names has a row that says where it comes from."""
    sections = page(FIGURES, language).split("\n## ")[1:]
    for heads in DEVICES.values():
        (section,) = (
            each for each in sections if each.startswith(f"{heads[language]}\n")
        )
        (rows,) = tables(section)
        figures = [name for row in rows[1:] for name in re.split(", |、", row[0])]
        named = [row[0] for row in table_headed(heads[language], "README", language)]
        assert sorted(figures) == sorted(named)


@languages
def test_page_explains_all_attributes(language: str) -> None:
    """Each attribute that has a name has a row."""
    attributes = {
        attribute
        for entities in texts(language)["entity"].values()
        for entity in entities.values()
        for attribute in entity.get("state_attributes", ())
    }
    head = {"en": "Attribute", "zh-Hans": "属性"}[language]
    rows = table_headed(head, FIGURES, language)
    explained = {each for row in rows for each in re.findall(r"`(\w+)`", row[0])}
    assert explained == attributes - {"event_type"}


async def test_page_names_all_that_is_asked(home: Home) -> None:
    """Whatever any kind of site is asked stands there, and nothing else does."""
    asked: set[str] = set()
    for server in DIALECTS:
        site = await home.serve(everything(server))
        for user in ("wang", None):
            entry = await home.add(site, key="Home Assistant", user=user)
            await home.poll(4)
            for entity_id in home.entities(entry).values():
                if entity_id.endswith("_group_ratio"):
                    await home.enable(entity_id.removeprefix("sensor."))
            await home.poll(4)
            site.gateway.world.top_up("wang", DOLLAR)
            await home.poll(6)
            await home.hass.config_entries.async_remove(entry.entry_id)
        asked |= {
            request.path_qs.partition("?")[0] for request in site.gateway.requests
        }
    for language in LANGUAGES:
        text = page(FIGURES, language)
        assert set(re.findall(r"`(/[a-z0-9_/]+)`", text)) == asked


@languages
@pytest.mark.parametrize("issue", Issue)
def test_repairs_have_one_name(issue: Issue, language: str) -> None:
    """A repair is called the same in the list, on its page and in the README."""
    name = f"docs/repairs/{issue}"
    title = page(name, language).partition("\n")[0].removeprefix("# ")
    shown = texts(language)["issues"][issue]["title"]
    assert re.sub(r"^\{name\}[:：] ?", "", shown).lower() == title.lower()
    link = f"[{title}]({name}{SUFFIXES[language]}.md)"
    assert link in page("README", language)


@languages
def test_page_names_the_state_of_the_key(language: str) -> None:
    """Whose address is refused finds the state of the key on the page about it."""
    states = texts(language)["entity"]["sensor"]["key_status"]["state"]
    text = page(f"docs/repairs/{Issue.ADDRESS_REFUSED}", language)
    assert states[KeyStatus.IP_RESTRICTED] in text


@languages
def test_readme_helps_with_what_forms_say(language: str) -> None:
    """Each failure has a row, and each row is about one, by its own words."""
    errors = texts(language)["config"]["error"]
    assert set(errors) >= OF_FORMS
    unknown_key = errors["invalid_api_key"].rstrip(".。")
    helped: set[str] = set()
    for message, _ in table_with(unknown_key, language):
        for part in message.split(" / "):
            words = part.removesuffix("…").strip()
            about = {error for error, text in errors.items() if words in text}
            assert about, words
            helped |= about
    assert helped >= set(errors) - OF_FORMS
