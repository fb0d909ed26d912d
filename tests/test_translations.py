"""Texts: complete, the same in every language, and with nothing raw in them."""

import ast
from collections.abc import Iterator
from enum import StrEnum
import json
from pathlib import Path
import re
from typing import Any, Final

import pytest

from custom_components import new_api
from custom_components.new_api import system_health
from custom_components.new_api.devices import KEY_DEVICES
from custom_components.new_api.failures import failure_of
from custom_components.new_api.gateway import errors
from custom_components.new_api.gateway.models import KeyStatus, Scope
from homeassistant.helpers import entity_registry as er
from tests.home import Home, household
from tests.reader import LANGUAGES
from tests.simulator import Monitor, Offer

FOLDER: Final = Path(new_api.__path__[0])
SOURCES: Final = [path.read_text() for path in FOLDER.rglob("*.py")]
TEXTS: Final[dict[str, Any]] = {
    path.stem: json.loads(path.read_text())
    for path in (FOLDER / "translations").glob("*.json")
}
ICONS: Final = json.loads((FOLDER / "icons.json").read_text())

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

languages = pytest.mark.parametrize("language", LANGUAGES)


def flat(texts: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Return all texts with the path that leads to each."""
    if isinstance(texts, str):
        yield path, texts
        return
    for name, more in texts.items():
        yield from flat(more, f"{path}.{name}".removeprefix("."))


def failures() -> list[errors.GatewayError]:
    """Return one failure of each kind that the client of gateways knows."""
    return [
        errors.BlockedError("x"),
        errors.CannotConnectError("x"),
        errors.DeclinedError("x"),
        errors.EmptyReplyError("x"),
        errors.EndpointMissingError("x"),
        errors.GatewayError("x"),
        errors.MovedError("https://moved.example", permanent=True),
        errors.NotAGatewayError("x"),
        errors.RateLimitedError(61),
        errors.ServerTroubleError("x"),
        errors.TooLargeError("x"),
        errors.UnexpectedReplyError("x"),
        *(errors.RefusedError(reason, 401) for reason in errors.Refusal),
    ]


def kinds(kind: type[Exception]) -> set[type[Exception]]:
    """Return a kind of error of the client's and all that are of it."""
    own = [each for each in kind.__subclasses__() if each.__module__ == kind.__module__]
    return {kind}.union(*map(kinds, own))


@pytest.fixture
async def entities(home: Home) -> list[er.RegistryEntry]:
    """Return one entity of each kind, disabled ones too."""
    gateway = household()
    world = gateway.world
    gateway.configure(check_in=True)
    world.monitors = [Monitor(category="Models", name="OpenAI")]
    world.offers = [Offer(id=1, title="Pro", total=1)]
    gateway.subscribe("wang", world.offers[0])
    site = await home.serve(gateway)
    entry = await home.add(site, key="Home Assistant", user="wang")
    # Not everything has room at once.
    await home.poll()
    registry = er.async_get(home.hass)
    return er.async_entries_for_config_entry(registry, entry.entry_id)


def keys_of(entities: list[er.RegistryEntry]) -> dict[str, set[str | None]]:
    """Return the translation keys of entities, by platform."""
    return {
        domain: {each.translation_key for each in entities if each.domain == domain}
        for domain in {each.domain for each in entities}
    }


def test_languages() -> None:
    """There is a file for each language, and for no other."""
    assert set(TEXTS) == set(LANGUAGES)


@languages
def test_same_texts_in_all_languages(language: str) -> None:
    """Every language has the same texts, and the same placeholders in them."""
    english = {path: set(PLACEHOLDER.findall(t)) for path, t in flat(TEXTS["en"])}
    others = {path: set(PLACEHOLDER.findall(t)) for path, t in flat(TEXTS[language])}
    assert others == english


@languages
def test_texts_are_texts(language: str) -> None:
    """No text is empty, links somewhere or refers to another text."""
    for path, text in flat(TEXTS[language]):
        assert text.strip() == text != "", path
        assert "://" not in text, path
        assert "[%key" not in text, path
        assert text.count("{") == text.count("}") == len(PLACEHOLDER.findall(text))


def test_chinese_is_chinese() -> None:
    """No text was left in English."""
    for path, text in flat(TEXTS["zh-Hans"]):
        if not re.search(r"\w", PLACEHOLDER.sub("", text).replace("token", "")):
            # There are no words in it, as in "{group}：{monitor}", or only the one that
            # Chinese sites use as it is.
            continue
        assert re.search(r"[一-鿿]", text), path
        assert not re.search(r"[一-鿿][,;:?!]", text), path


# ------------------------------------------------------------------------------------
# Failures


def test_every_kind_of_failure_is_tried() -> None:
    """The list above is complete, but for what is wrong with a form."""
    of_forms = {errors.InvalidAddressError, errors.InvalidCredentialError}
    assert {type(each) for each in failures()} == kinds(errors.GatewayError) - of_forms


@languages
@pytest.mark.parametrize("failure", failures(), ids=repr)
@pytest.mark.parametrize("kind", ["exceptions.{}.message", "config.error.{}"])
def test_failure_has_a_text(
    language: str, failure: errors.GatewayError, kind: str
) -> None:
    """Each failure has a text for the log and one for the form, with nothing raw."""
    key, placeholders = failure_of(failure)
    text = dict(flat(TEXTS[language]))[kind.format(key)]
    assert "{" not in text.format(**placeholders)
    for value in placeholders.values():
        assert value in text.format(**placeholders)


def translation_keys(name: str) -> set[str]:
    """Return the literal values of an argument, in all of the integration."""
    return {
        keyword.value.value
        for source in SOURCES
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == name
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


def form_errors() -> set[str]:
    """Return the errors of forms that stand as such in the code."""
    return {
        call.args[1].value
        for source in SOURCES
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "FormError"
        and len(call.args) > 1
        and isinstance(call.args[1], ast.Constant)
        and isinstance(call.args[1].value, str)
    }


def test_what_the_code_says_has_a_text() -> None:
    """Each key in the code has a text, and is of the kind that has it."""
    texts = TEXTS["en"]
    assert form_errors()
    assert form_errors() <= set(texts["config"]["error"])
    assert translation_keys("reason") <= set(texts["config"]["abort"])
    assert translation_keys("translation_key") <= (
        set(texts["exceptions"])
        | set(texts["selector"])
        | set().union(*texts["entity"].values())
    )


def test_no_text_is_left_over() -> None:
    """Each error and each exception is one that can happen."""
    said = {failure_of(failure)[0] for failure in failures()}
    literals = {
        node.value
        for source in SOURCES
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    texts = TEXTS["en"]
    assert set(texts["exceptions"]) <= said | translation_keys("translation_key")
    assert set(texts["config"]["error"]) <= said | literals


# ------------------------------------------------------------------------------------
# Entities


@languages
async def test_entities_have_names(
    language: str, entities: list[er.RegistryEntry]
) -> None:
    """Each entity has a name, and what it can say by a word has one too."""
    texts = TEXTS[language]["entity"]
    assert keys_of(entities) == {domain: set(texts[domain]) for domain in texts}
    for entity in entities:
        text = texts[entity.domain][entity.translation_key]
        assert text["name"]
        can_be = entity.capabilities or {}
        assert set(can_be.get("options", ())) == set(text.get("state", ()))
        kinds_of_events = text.get("state_attributes", {}).get("event_type", {})
        assert set(can_be.get("event_types", ())) == set(
            kinds_of_events.get("state", ())
        )


async def test_units_are_translated_or_not(
    home: Home, entities: list[er.RegistryEntry]
) -> None:
    """A unit that is a word stands in the texts, and nowhere else."""
    texts = TEXTS["en"]["entity"]["sensor"]
    for entity in entities:
        if entity.domain == "sensor":
            words = texts[entity.translation_key].get("unit_of_measurement")
            assert entity.unit_of_measurement in (words, "USD", "d"), entity
            assert words is None or entity.unit_of_measurement == words


async def test_attributes_have_names(
    home: Home, entities: list[er.RegistryEntry]
) -> None:
    """Each attribute that the integration adds has a name."""
    of_home_assistant = {
        *("attribution", "device_class", "event_type", "event_types", "friendly_name"),
        *("icon", "last_reset", "options", "state_class", "unit_of_measurement"),
    }
    for entity in entities:
        state = home.hass.states.get(entity.entity_id)
        if state is not None:
            text = TEXTS["en"]["entity"][entity.domain][entity.translation_key]
            own = state.attributes.keys() - of_home_assistant
            assert own <= set(text.get("state_attributes", ())), entity.entity_id


@languages
@pytest.mark.parametrize(
    ("path", "states"),
    [
        ("key_status.state", KeyStatus),
        ("remaining_quota.state_attributes.figures_of.state", Scope),
    ],
    ids=["status", "figures_of"],
)
def test_states_have_names(language: str, path: str, states: type[StrEnum]) -> None:
    """All that a sensor can say of itself has a name."""
    found: Any = TEXTS[language]["entity"]["sensor"]
    for name in path.split("."):
        found = found[name]
    assert set(found) == {state.value for state in states}


async def test_icons(entities: list[er.RegistryEntry]) -> None:
    """Each entity has an icon, of its kind or its own, and each state another one."""
    icons = ICONS["entity"]
    for domain, keys in keys_of(entities).items():
        assert set(icons[domain]) <= keys
    for entity in entities:
        icon = icons[entity.domain].get(entity.translation_key)
        if icon is None:
            # A problem and a connection have icons of Home Assistant's.
            assert entity.domain == "binary_sensor"
            assert entity.original_device_class is not None
            continue
        assert icon["default"].startswith("mdi:")
        states = set((entity.capabilities or {}).get("options", ()))
        if entity.domain == "binary_sensor":
            states = {"on"}
        assert set(icon.get("state", ())) == states
        assert icon["default"] not in icon.get("state", {}).values()


# ------------------------------------------------------------------------------------
# Everything else


@languages
def test_choices_have_names(language: str) -> None:
    """All that can be chosen has a name."""
    assert set(TEXTS[language]["selector"]["key_devices"]["options"]) == set(
        KEY_DEVICES
    )


@languages
async def test_system_health_has_names(language: str, home: Home) -> None:
    """All that system health shows has a name."""
    info = await system_health._async_info(home.hass)
    assert set(TEXTS[language]["system_health"]["info"]) == set(info)
