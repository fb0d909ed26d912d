"""What is written for people: it agrees with the integration, in every language."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
import json
from pathlib import Path
import re
from typing import Any, Final

import pytest
import yaml

from custom_components.new_api.const import DOMAIN
from custom_components.new_api.gateway.models import KeyStatus
from custom_components.new_api.issues import Issue
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from tests.home import Home
from tests.reader import LANGUAGES
from tests.simulator import DIALECTS, Answer, Gateway, Options, World

ROOT: Final = Path(__file__).parent.parent

# English stands in files without a suffix.
SUFFIXES: Final = {"en": "", "zh-Hans": ".zh-Hans"}

PAGES: Final = ("README", *(f"docs/repairs/{issue}" for issue in Issue))

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

# In raw quota of the simulated site.
DOLLAR: Final = 500_000

languages = pytest.mark.parametrize("language", LANGUAGES)


def page(name: str, language: str) -> str:
    """Return a page in a language."""
    return (ROOT / f"{name}{SUFFIXES[language]}.md").read_text()


def texts(language: str) -> Any:
    """Return what the integration says in a language."""
    path = ROOT / "custom_components" / DOMAIN / "translations" / f"{language}.json"
    return json.loads(path.read_text())


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a page: rows of cells, without the line below the head."""
    return [
        [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in lines
            if not line.startswith("|--")
        ]
        for is_table, lines in groupby(text.splitlines(), lambda x: x.startswith("|"))
        if is_table
    ]


def table_with(cell: str, language: str) -> list[list[str]]:
    """Return the rows of the table of the README that has a cell, without its head."""
    (found,) = (
        each
        for each in tables(page("README", language))
        if any(cell in row for row in each)
    )
    return found[1:]


# ------------------------------------------------------------------------------------
# Languages


def shape(text: str) -> Iterator[str]:
    """Go through what pages in two languages have in common."""
    code = False
    for line in text.splitlines():
        if line.startswith("```"):
            code = not code
            yield line
        elif code:
            # What is said in it is in the language of the page.
            yield re.sub(r"(alias|message): .*|#.*", r"\1", line).rstrip()
        elif line.startswith("|"):
            yield f"row of {line.count('|') - 1}"
        elif line.strip() and not re.match(r"\[(English|中文).*\]\(", line):
            kind = re.match(r"#+ |- |\d+\. |", line)
            yield f"{kind[0] if kind else ''}{linked(line)}"


def linked(line: str) -> list[str]:
    """Return where a line leads, whatever the language of that page is."""
    return [
        "#" if target.startswith("#") else target.replace(".zh-Hans.md", ".md")
        for target in re.findall(r"\]\(([^)]+)\)", line)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_the_same_in_all_languages(name: str) -> None:
    """Headings, paragraphs, rows, examples and links are the same."""
    english, *others = (list(shape(page(name, language))) for language in LANGUAGES)
    for other in others:
        assert other == english


@languages
@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str, language: str) -> None:
    """Each file and each heading that a page leads to is there."""
    text = page(name, language)
    headings = {
        re.sub(r"[^\w\- ]", "", heading).replace(" ", "-").lower()
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)]+)\)|(?:src|srcset)=\"([^\"]+)\"", text):
        where = "".join(target)
        if where.startswith("#"):
            assert where[1:] in headings
        elif "://" not in where and where != "../../../../issues":
            assert (folder / where).is_file(), where


# ------------------------------------------------------------------------------------
# Names


@languages
def test_readme_names_all_fields(language: str) -> None:
    """Both forms are explained, with the names that they show."""
    config, options = texts(language)["config"], texts(language)["options"]
    for form, count in ((config["step"]["user"], 4), (options["step"]["init"], 3)):
        fields = list(form["data"].values())
        assert [row[0] for row in table_with(fields[0], language)] == fields
        assert len(fields) == count


@languages
def test_readme_names_all_entities(language: str) -> None:
    """Each entity has a row, and each of its states stands in it."""
    entities = texts(language)["entity"]["sensor"]
    rows = table_with(entities["remaining_quota"]["name"], language)
    assert {row[1] for row in rows} == {each["name"] for each in entities.values()}
    of_account, of_key = (
        row[2].lower() for row in rows if row[1] == entities["key_status"]["name"]
    )
    for entity, row in (("account_status", of_account), ("key_status", of_key)):
        for state in entities[entity]["state"].values():
            assert state.lower() in row


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


# ------------------------------------------------------------------------------------
# Examples


@pytest.fixture
async def gateway(home: Home) -> Gateway:
    """Serve the site of the examples: Alice has $6 and a key for Claude Code."""
    world = World()
    alice = world.add_user("alice", quota=6 * DOLLAR)
    world.add_key(alice, "Claude Code", quota=2 * DOLLAR)
    gateway = Gateway(world, DIALECTS["new_api_main"], Options(system_name="Juhe AI"))
    await home.add(await home.serve(gateway), user="alice")
    return gateway


async def automate(hass: HomeAssistant, language: str) -> list[str]:
    """Run the automations of the README, and return the messages that they send."""
    messages: list[str] = []

    async def notify(call: ServiceCall) -> None:
        messages.append(call.data["message"].strip())

    hass.services.async_register("notify", "notify", notify)
    examples = re.findall(r"```yaml\n(.*?)```", page("README", language), re.DOTALL)
    automations = [
        each for text in examples for each in yaml.safe_load(text)["automation"]
    ]
    assert len(automations) == len(examples) == 2
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()
    assert len(hass.states.async_all("automation")) == 2
    return messages


@languages
async def test_example_of_a_low_balance(
    home: Home, gateway: Gateway, language: str
) -> None:
    """It is told once, with the amount, and again only after there was more."""
    messages = await automate(home.hass, language)

    async def half_an_hour() -> None:
        for _ in range(6):
            await home.poll()

    await half_an_hour()
    assert messages == []
    gateway.spend("Claude Code", round(1.5 * DOLLAR))
    await half_an_hour()
    assert len(messages) == 1
    assert "4.50 USD" in messages[0]
    gateway.spend("Claude Code", DOLLAR // 4)
    await half_an_hour()
    assert len(messages) == 1
    gateway.world.top_up("alice", 2 * DOLLAR)
    await half_an_hour()
    gateway.world.user("alice").quota = DOLLAR
    await half_an_hour()
    assert len(messages) == 2
    assert "1.00 USD" in messages[1]


@languages
@pytest.mark.parametrize(
    ("happens", "called"),
    [("disable_key", "Disabled"), ("expire_key", "Expired")],
)
async def test_example_of_a_key(
    home: Home, gateway: Gateway, language: str, happens: str, called: str
) -> None:
    """It is told once, with the state as the home calls it."""
    messages = await automate(home.hass, language)
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
    messages = await automate(home.hass, language)
    await home.poll()
    gateway.faults.add("*", Answer(502))
    await home.poll(2)
    assert home.state("claude_code_status") == "unavailable"
    gateway.faults.clear()
    await home.poll(2)
    assert home.state("claude_code_status") == "active"
    assert messages == []
