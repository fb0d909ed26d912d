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
from custom_components.new_api import sensor, system_health
from custom_components.new_api.devices import KEY_DEVICES
from custom_components.new_api.failures import failure_of
from custom_components.new_api.gateway import errors
from custom_components.new_api.gateway.models import KeyStatus, Scope
from homeassistant.components.sensor import SensorEntityDescription
from tests.home import Home
from tests.reader import LANGUAGES

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
        errors.EmptyReplyError("x"),
        errors.EndpointMissingError("x"),
        errors.GatewayError("x"),
        errors.MovedError("https://moved.example", permanent=True),
        errors.NotAGatewayError("x"),
        errors.RateLimitedError(61),
        errors.ServerTroubleError("x"),
        errors.UnexpectedReplyError("x"),
        *(errors.RefusedError(reason, 401) for reason in errors.Refusal),
    ]


def kinds(kind: type[Exception]) -> set[type[Exception]]:
    """Return a kind of error of the client's and all that are of it."""
    own = [each for each in kind.__subclasses__() if each.__module__ == kind.__module__]
    return {kind}.union(*map(kinds, own))


def descriptions() -> list[SensorEntityDescription]:
    """Return the descriptions of all sensors."""
    return [
        each
        for value in vars(sensor).values()
        for each in (value if isinstance(value, tuple) else (value,))
        if isinstance(each, SensorEntityDescription)
    ]


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
        | set(texts["entity"]["sensor"])
        | set(texts["selector"])
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
def test_entities_have_names(language: str) -> None:
    """Each sensor has a name, and each state of a list one too."""
    texts = TEXTS[language]["entity"]["sensor"]
    assert descriptions()
    assert {each.translation_key for each in descriptions()} == set(texts)
    for description in descriptions():
        text = texts[description.translation_key]
        assert text["name"]
        assert set(description.options or ()) == set(text.get("state", ()))
        has_unit = "unit_of_measurement" in text
        assert not (has_unit and description.native_unit_of_measurement)


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


def test_icons() -> None:
    """Each sensor has an icon, and each state one that differs from it."""
    icons = ICONS["entity"]["sensor"]
    assert set(icons) == {each.translation_key for each in descriptions()}
    for description in descriptions():
        icon = icons[description.translation_key]
        assert icon["default"].startswith("mdi:")
        assert set(icon.get("state", ())) == set(description.options or ())
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
