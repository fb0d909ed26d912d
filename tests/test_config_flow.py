"""Adding an account or a key."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from custom_components.new_api.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.selector import TextSelector
from tests.home import Home, Site, household
from tests.simulator import Answer, Hang, Reset, Truncate

SERVERS: Final = ("new_api_main", "new_api_rc21", "new_api_0_9", "one_api", "one_hub")
WITH_ITS_OWN_WORDS: Final = ("new_api_main", "new_api_rc21", "new_api_0_9", "one_api")
"""The servers that tell a banned owner and a channel from an unknown key."""

HTML: Final = (("Content-Type", "text/html; charset=utf-8"),)


def filled_in(form: ConfigFlowResult) -> dict[str, Any]:
    """Return what stands in the fields of a form."""
    schema = form["data_schema"]
    assert schema is not None
    return {
        str(field): field.description["suggested_value"]
        for field in schema.schema
        if field.description is not None
    }


def assert_asks_again(
    form: ConfigFlowResult, errors: dict[str, str], entered: dict[str, str]
) -> None:
    """Check that the form is shown again with these errors, and as it was filled in."""
    assert form["type"] is FlowResultType.FORM
    assert form["errors"] == errors
    assert filled_in(form) == entered


# ------------------------------------------------------------------------------------
# What is added


async def test_form_hides_secrets_and_knows_a_site(home: Home) -> None:
    """The form begins with the address of a site, and shows no secret while typing."""
    form = await home.start()
    assert form["step_id"] == "user"
    assert not form["errors"]
    schema = form["data_schema"]
    assert schema is not None
    fields = {str(field): selector for field, selector in schema.schema.items()}
    assert list(fields) == ["url", "api_key", "user_id", "access_token"]
    assert schema({}) == {"url": "https://api.juheai.top"}
    assert filled_in(form) == {}
    for name, selector in fields.items():
        assert isinstance(selector, TextSelector)
        hidden = selector.config.get("type") == "password"
        assert hidden == (name in ("api_key", "access_token"))


@pytest.mark.parametrize(
    ("key", "user", "title", "options"),
    [
        pytest.param("main", None, "Test Gateway (main)", {}, id="key alone"),
        pytest.param(
            None,
            "alice",
            "Test Gateway (alice)",
            {"key_devices": "all"},
            id="account alone",
        ),
        pytest.param(
            "main", "alice", "Test Gateway (alice)", {"key_devices": "all"}, id="both"
        ),
    ],
)
async def test_one_credential_is_enough(
    home: Home, key: str | None, user: str | None, title: str, options: dict[str, str]
) -> None:
    """A key alone, an account alone and both make an entry that works."""
    site = await home.serve_recorded("new_api_main")
    entered = site.form(key=key, user=user)
    entry = await home.create(entered)
    assert entry.title == title
    assert dict(entry.data) == entered
    assert dict(entry.options) == options
    assert entry.state is ConfigEntryState.LOADED
    subject = "alice" if user else "main"
    assert home.state(f"test_gateway_{subject}_remaining_quota") == "90.01"


async def test_title_without_names(home: Home) -> None:
    """A site that has no name is called by its host, and One API names no key."""
    one_api = await home.serve_recorded("one_api")
    entry = await home.create(one_api.form(key="main"))
    assert entry.title == "Test Gateway"
    nameless = await home.serve_recorded("new_api_main")
    nameless.gateway.configure(system_name="")
    entry = await home.create(nameless.form(user="alice"))
    assert entry.title == "127.0.0.1 (alice)"


@pytest.mark.parametrize("server", SERVERS)
async def test_keys_that_are_no_good_at_the_moment(
    home: Home, server: str, subtests: pytest.Subtests
) -> None:
    """A key that is used up, expired or disabled is right, and shows its state."""
    site = await home.serve_recorded(server)
    for key, status in (
        ("exhausted", "exhausted"),
        ("overdrawn", "exhausted"),
        ("expired", "expired"),
        ("disabled", "disabled"),
    ):
        with subtests.test(key):
            entry = await home.create(site.form(key=key))
            (device,) = home.devices()
            assert home.states(device.name or "")["Status"] == status
            await home.hass.config_entries.async_remove(entry.entry_id)
            # The form and the start have used up half of the critical calls.
            await home.pass_time(timedelta(minutes=20))


@pytest.mark.parametrize("server", ["new_api_main", "one_api", "one_hub"])
@pytest.mark.parametrize("key", ["exhausted", "expired", "disabled"])
async def test_key_of_an_account_that_is_no_good(
    home: Home, server: str, key: str
) -> None:
    """So it is beside its account."""
    site = await home.serve_recorded(server)
    await home.create(site.form(key=key, user="alice"))
    assert home.states(key)["Status"] == key


async def test_account_vouches_for_its_key(home: Home) -> None:
    """A key that may not be used from here is accepted where its account is given."""
    site = await home.serve_recorded("new_api_main")
    await home.create(site.form(key="ip_limited", user="alice"))
    assert home.states("ip_limited")["Status"] == "ip_restricted"
    assert home.states("ip_limited")["Remaining quota"] == "3.00"


@pytest.mark.parametrize(("keys", "shown"), [(25, "all"), (26, "none")])
async def test_many_keys_start_without_devices(
    home: Home, keys: int, shown: str
) -> None:
    """An account with more than 25 keys starts with none of them as a device."""
    site = await home.serve(household())
    user = site.gateway.world.add_user("li", quota=1)
    for number in range(keys):
        site.gateway.world.add_key(user, f"key {number}", quota=1)
    entry = await home.create(site.form(user="li"))
    assert dict(entry.options) == {"key_devices": shown}
    assert len(home.devices()) == (1 if shown == "none" else 1 + keys)


async def test_a_hundred_keys_and_the_configured_one(home: Home) -> None:
    """Of an account with 105 keys only the configured one becomes a device."""
    site = await home.serve_recorded("new_api_rc21")
    entry = await home.create(site.form(key="bulk 104", user="erin"))
    assert dict(entry.options) == {"key_devices": "none"}
    assert home.device_names() == {"Test Gateway (erin)", "bulk 104"}


# ------------------------------------------------------------------------------------
# What is wrong with what was entered

FAULTY: Final[dict[str, tuple[dict[str, str], dict[str, str]]]] = {
    "empty address": ({"url": "  "}, {"url": "invalid_url"}),
    "address without a host": ({"url": "https://"}, {"url": "invalid_url"}),
    "address with a blank": ({"url": "juhe ai.top"}, {"url": "invalid_url"}),
    "address with a wrong port": ({"url": "juheai.top:port"}, {"url": "invalid_url"}),
    "not a web address": ({"url": "ftp://juheai.top"}, {"url": "invalid_url"}),
    "address with a name": ({"url": "https://me@juheai.top"}, {"url": "invalid_url"}),
    "address with a password": (
        {"url": "https://me:secret@juheai.top"},
        {"url": "invalid_url"},
    ),
    "nothing given": ({}, {"base": "nothing_given"}),
    "only blanks given": (
        {"api_key": " ", "access_token": "  "},
        {"base": "nothing_given"},
    ),
    "user ID alone": ({"user_id": "2"}, {"access_token": "access_token_required"}),
    "user ID with a key": (
        {"api_key": "sk-abcdefgh", "user_id": "2"},
        {"access_token": "access_token_required"},
    ),
    "name as user ID": (
        {"user_id": "alice", "access_token": "abcdefgh"},
        {"user_id": "user_id_not_a_number"},
    ),
    "negative user ID": (
        {"user_id": "-2", "access_token": "abcdefgh"},
        {"user_id": "user_id_not_a_number"},
    ),
    "user ID with a decimal point": (
        {"user_id": "2.0", "access_token": "abcdefgh"},
        {"user_id": "user_id_not_a_number"},
    ),
    "full-width user ID": (
        {"user_id": "２", "access_token": "abcdefgh"},  # noqa: RUF001
        {"user_id": "invalid_characters"},
    ),
    "key of two words": ({"api_key": "sk-abc def"}, {"api_key": "invalid_characters"}),
    "key of other letters": (
        {"api_key": "sk-钥匙钥匙"},
        {"api_key": "invalid_characters"},
    ),
    "token with a line break": (
        {"access_token": "abcd\nefgh"},
        {"access_token": "invalid_characters"},
    ),
}


@pytest.mark.parametrize(("faulty", "errors"), FAULTY.values(), ids=FAULTY)
async def test_faulty_form(
    home: Home, site: Site, faulty: dict[str, str], errors: dict[str, str]
) -> None:
    """What cannot be right is said in its field, and nobody is asked about it."""
    entered = {"url": site.url, **faulty}
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, errors, entered)
    assert site.gateway.requests == []
    corrected = await home.submit(form, site.form(key="Home Assistant", user="wang"))
    assert corrected["type"] is FlowResultType.CREATE_ENTRY


# ------------------------------------------------------------------------------------
# What is wrong with the site

NO_GATEWAYS: Final = {
    "web page": Answer(200, "<html><title>Shop</title></html>", HTML),
    "web page not found": Answer(404, "<html>404</html>", HTML),
    "nothing at all": Answer.json(200, ""),
    "other JSON": Answer.json(200, '{"success": true, "data": {"status": "ok"}}'),
    "other JSON without data": Answer.json(200, '{"status": "ok"}'),
    "other API": Answer.json(401, '{"success": false, "message": "log in"}'),
    "another API": Answer.json(404, '{"error": {"message": "Invalid URL"}}'),
    "JSON list": Answer.json(200, "[]"),
    "half of the JSON": Answer.json(200, '{"success": true, "data": {'),
    "other status": Answer.json(418, '{"error": {"message": "a teapot"}}'),
}


@pytest.mark.parametrize("answer", NO_GATEWAYS.values(), ids=NO_GATEWAYS)
async def test_site_is_no_gateway(home: Home, site: Site, answer: Answer) -> None:
    """What is no gateway is told so, and is never shown a credential."""
    site.gateway.faults.add("*", answer)
    entered = site.form(key="Home Assistant", user="wang")
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"url": "not_a_gateway"}, entered)
    assert [request.path_qs for request in site.gateway.requests] == ["/api/status"]
    site.gateway.faults.clear()
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


async def test_site_behind_a_wall(home: Home, site: Site) -> None:
    """What stands before a site is told so, and is never shown a credential."""
    wall = Answer(403, "<html>Are you a robot?</html>", HTML)
    site.gateway.faults.add("*", wall)
    entered = site.form(key="Home Assistant", user="wang")
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"base": "blocked"}, entered)
    assert [request.path_qs for request in site.gateway.requests] == ["/api/status"]
    site.gateway.faults.clear()
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


async def test_site_answers_oddly(home: Home, site: Site) -> None:
    """What no known gateway answers is told so, and is never shown a credential."""
    said = '{"success": true, "data": {"system_name": 7, "quota_per_unit": 1}}'
    odd = Answer.json(200, said)
    site.gateway.faults.add("*", odd)
    entered = site.form(key="Home Assistant", user="wang")
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"base": "unexpected_reply"}, entered)
    assert [request.path_qs for request in site.gateway.requests] == ["/api/status"]
    site.gateway.faults.clear()
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("fault", [Reset(), Truncate(10)], ids=["reset", "truncated"])
async def test_connection_breaks(
    home: Home, site: Site, fault: Reset | Truncate
) -> None:
    """A site that breaks off cannot be reached."""
    site.gateway.faults.add("/api/status", fault)
    entered = site.form(key="Home Assistant")
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"url": "cannot_connect"}, entered)
    site.gateway.faults.clear()
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


async def test_nothing_listens(home: Home, site: Site, unused_tcp_port: int) -> None:
    """A port where nothing listens cannot be reached."""
    right = site.form(key="Home Assistant")
    entered = right | {"url": f"http://127.0.0.1:{unused_tcp_port}"}
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"url": "cannot_connect"}, entered)
    assert (await home.submit(form, right))["type"] is FlowResultType.CREATE_ENTRY


async def test_site_does_not_answer(home: Home, site: Site) -> None:
    """Nobody has to wait for ever for a site that does not answer."""
    site.gateway.faults.add("/api/status", Hang(), times=1)
    entered = site.form(key="Home Assistant")
    started = await home.start()
    submitted = asyncio.create_task(home.submit(started, entered))
    await home.until(lambda: site.asked("/api/status") == 1)
    home.tick(timedelta(seconds=30))
    form = await submitted
    assert_asks_again(form, {"url": "cannot_connect"}, entered)
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


async def test_site_in_trouble(home: Home, site: Site) -> None:
    """A site that fails is no mistake in a field."""
    site.gateway.faults.add("/api/status", Answer(502, "Bad gateway", HTML))
    entered = site.form(key="Home Assistant")
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"base": "server_trouble"}, entered)
    site.gateway.faults.clear()
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("/api/user/self", {"user": "wang"}),
        ("/api/token/", {"key": "Home Assistant", "user": "wang"}),
        ("/v1/dashboard/billing/subscription", {"key": "Home Assistant"}),
    ],
)
async def test_trouble_with_a_credential(
    home: Home, site: Site, path: str, subject: dict[str, str]
) -> None:
    """Where the site fails only after it said what it is, no credential is blamed."""
    site.gateway.faults.add(path, Reset())
    entered = site.form(**subject)
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"base": "cannot_connect"}, entered)
    site.gateway.faults.clear()
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("/api/status", {"key": "Home Assistant", "user": "wang"}),
        ("/api/user/self", {"key": "Home Assistant", "user": "wang"}),
        ("/v1/dashboard/*", {"key": "Home Assistant"}),
    ],
)
async def test_site_has_moved(
    home: Home, site: Site, path: str, subject: dict[str, str]
) -> None:
    """Where a site sends us elsewhere, a person decides; no credential goes there."""
    elsewhere = await home.serve(household())
    location = (("Location", f"{elsewhere.url}/api/status?from=there"),)
    site.gateway.faults.add(path, Answer(301, headers=location))
    entered = site.form(**subject)
    form = await home.submit(await home.start(), entered)
    field = "url" if path == "/api/status" else "base"
    assert_asks_again(form, {field: "moved"}, entered)
    placeholders = form["description_placeholders"]
    assert placeholders is not None
    assert placeholders["location"] == elsewhere.url
    assert elsewhere.gateway.requests == []
    corrected = elsewhere.form(key="Home Assistant", user="wang")
    assert (await home.submit(form, corrected))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("path", ["/api/status", "/api/user/self"])
@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        pytest.param((("Retry-After", "600"),), 10, id="ten minutes"),
        pytest.param((("Retry-After", "601"),), 11, id="a little more"),
        pytest.param((), 3, id="nobody says how long"),
    ],
)
async def test_rate_limited(
    home: Home,
    site: Site,
    path: str,
    headers: tuple[tuple[str, str], ...],
    minutes: int,
) -> None:
    """A site that wants no more questions is left alone for as long as it says."""
    site.gateway.faults.add(path, Answer(429, headers=headers), times=1)
    entered = site.form(user="wang")
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"base": "rate_limited"}, entered)
    placeholders = form["description_placeholders"]
    assert placeholders is not None
    assert placeholders["minutes"] == str(minutes)

    asked = len(site.gateway.requests)
    form = await home.submit(form, entered)
    assert_asks_again(form, {"base": "rate_limited"}, entered)
    assert len(site.gateway.requests) == asked

    await home.pass_time(timedelta(minutes=minutes))
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


# ------------------------------------------------------------------------------------
# What is wrong with the credentials


def wrong_token(site: Site) -> dict[str, str]:
    """Mistype an access token."""
    return site.form(user="alice") | {"access_token": "f" * 28 + "="}


def key_as_token(site: Site) -> dict[str, str]:
    """Paste the API key where the access token belongs."""
    return site.form(user="alice") | {"access_token": str(site.key("main"))}


def token_as_key(site: Site) -> dict[str, str]:
    """Paste the access token where the API key belongs."""
    return {"url": site.url, "api_key": site.user("alice").access_token}


def exchanged(site: Site) -> dict[str, str]:
    """Paste both where the other belongs."""
    return site.form(user="alice") | {
        "api_key": site.user("alice").access_token,
        "access_token": str(site.key("main")),
    }


def no_user_id(site: Site) -> dict[str, str]:
    """Leave out the user ID."""
    form = site.form(user="alice")
    del form["user_id"]
    return form


def id_of_another(site: Site) -> dict[str, str]:
    """Enter the user ID of somebody else."""
    return site.form(user="alice") | {"user_id": str(site.user("bob").id)}


def disabled_account(site: Site) -> dict[str, str]:
    """Enter an account that the site has disabled."""
    return site.form(user="carol")


def unknown_key(site: Site) -> dict[str, str]:
    """Mistype an API key."""
    return {"url": site.url, "api_key": "sk-" + "f" * 48}


def unknown_key_of_account(site: Site) -> dict[str, str]:
    """Mistype an API key beside the right account."""
    return site.form(user="alice") | {"api_key": "sk-" + "f" * 48}


def key_for_another_address(site: Site) -> dict[str, str]:
    """Enter a key that may be used only from somewhere else."""
    return site.form(key="ip_limited")


def key_of_banned_owner(site: Site) -> dict[str, str]:
    """Enter a key whose owner the site has disabled."""
    return site.form(key="banned_owner")


def key_with_channel(site: Site) -> dict[str, str]:
    """Enter a key with the channel of an administrator behind it."""
    return {"url": site.url, "api_key": f"{site.key('main')}-12"}


MISTAKES: Final[
    tuple[tuple[Callable[[Site], dict[str, str]], str, str, tuple[str, ...]], ...]
] = (
    (wrong_token, "access_token", "invalid_access_token", SERVERS),
    (key_as_token, "access_token", "invalid_access_token", SERVERS),
    (exchanged, "access_token", "invalid_access_token", SERVERS),
    (no_user_id, "user_id", "user_id_required", ("new_api_rc21", "new_api_0_9")),
    (id_of_another, "user_id", "user_id_mismatch", SERVERS),
    (disabled_account, "access_token", "account_disabled", SERVERS),
    (token_as_key, "api_key", "invalid_api_key", SERVERS),
    (unknown_key, "api_key", "invalid_api_key", SERVERS),
    (unknown_key_of_account, "api_key", "invalid_api_key", SERVERS),
    (key_for_another_address, "api_key", "ip_restricted", SERVERS),
    (key_of_banned_owner, "api_key", "owner_disabled", WITH_ITS_OWN_WORDS),
    (key_of_banned_owner, "api_key", "invalid_api_key", ("one_hub",)),
    (key_with_channel, "api_key", "api_key_refused", WITH_ITS_OWN_WORDS),
    (key_with_channel, "api_key", "invalid_api_key", ("one_hub",)),
)


@pytest.mark.parametrize("server", SERVERS)
async def test_mistaken_credentials(
    home: Home, server: str, subtests: pytest.Subtests
) -> None:
    """What the site does not accept is said in its field, as far as can be known."""
    site = await home.serve_recorded(server)
    form = await home.start()
    for mistake, field, error, servers in MISTAKES:
        if server in servers:
            with subtests.test(mistake.__name__):
                entered = mistake(site)
                form = await home.submit(form, entered)
                assert_asks_again(form, {field: error}, entered)
                # Two of them need one of the few critical calls.
                await home.pass_time(timedelta(minutes=5))
    corrected = await home.submit(form, site.form(key="main", user="alice"))
    assert corrected["type"] is FlowResultType.CREATE_ENTRY
    assert home.state("test_gateway_alice_remaining_quota") == "90.01"


async def test_account_refused_without_a_reason(home: Home, site: Site) -> None:
    """What stands before a site and refuses says nothing about a credential."""
    said = '{"success": false, "message": "forbidden"}'
    site.gateway.faults.add("/api/user/self", Answer.json(403, said), times=1)
    entered = site.form(user="wang")
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"base": "refused"}, entered)
    assert (await home.submit(form, entered))["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("server", ["new_api_main", "one_api", "one_hub"])
async def test_user_id_is_not_needed_everywhere(home: Home, server: str) -> None:
    """A site that knows its users by the token alone is not asked with an ID."""
    site = await home.serve_recorded(server)
    entry = await home.create(no_user_id(site))
    assert "user_id" not in entry.data
    assert home.state("test_gateway_alice_remaining_quota") == "90.01"


async def test_refusal_that_cannot_be_explained_now(home: Home) -> None:
    """Where the one question that explains a refusal is used up, it is not guessed."""
    site = await home.serve_recorded("new_api_main")
    site.gateway.faults.add("/api/usage/token/", Answer(429))
    entered = site.form(key="exhausted")
    form = await home.submit(await home.start(), entered)
    assert_asks_again(form, {"base": "rate_limited"}, entered)
    corrected = await home.submit(form, site.form(key="exhausted", user="alice"))
    assert corrected["type"] is FlowResultType.CREATE_ENTRY
    assert home.states("exhausted")["Status"] == "exhausted"


# ------------------------------------------------------------------------------------
# What is the same

FORMS_OF_AN_ADDRESS: Final[dict[str, Callable[[str], str]]] = {
    "slash": lambda url: f"{url}/",
    "blanks": lambda url: f"  {url}\t",
    "no scheme": lambda url: url.removeprefix("http://"),
    "capitals": lambda url: url.replace("http", "HTTP"),
    "API": lambda url: f"{url}/v1",
    "API with slash": lambda url: f"{url}/v1/",
    "list of models": lambda url: f"{url}/v1/models",
    "page of the console": lambda url: f"{url}/console/token",
    "page with a query": lambda url: f"{url}/login?expired=true",
    "quoted": lambda url: f'"{url}"',
    "Chinese keyboard": lambda url: url.replace(":", "：").replace("/", "／"),
}


@pytest.mark.parametrize(
    "form_of", FORMS_OF_AN_ADDRESS.values(), ids=FORMS_OF_AN_ADDRESS
)
async def test_address_is_forgiving(
    home: Home, site: Site, form_of: Callable[[str], str]
) -> None:
    """However the address is written, it is the same site."""
    entered = site.form(user="wang")
    entry = await home.create(entered | {"url": form_of(site.url)})
    assert entry.data["url"] == site.url
    again = await home.submit(await home.start(), entered)
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_configured"


async def test_same_account(home: Home, site: Site) -> None:
    """An account is added once, with whatever key, ID or token."""
    first = site.form(key="Home Assistant", user="wang")
    entry = await home.create(first)
    assert entry.unique_id == f"{site.url}|user:2"
    for entered in (
        first,
        site.form(user="wang"),
        site.form(key="Homework", user="wang"),
    ):
        again = await home.submit(await home.start(), entered)
        assert again["type"] is FlowResultType.ABORT
        assert again["reason"] == "already_configured"
    assert dict(entry.data) == first


@pytest.mark.parametrize(
    "written",
    ["{key}", "sk-{key}", " sk-{key} ", "Bearer sk-{key}", '"sk-{key}"'],
)
async def test_same_key(home: Home, site: Site, written: str) -> None:
    """A key is added once, however it is written."""
    entry = await home.create(site.form(key="Home Assistant"))
    key = site.key("Home Assistant").secret
    entered = {"url": site.url, "api_key": written.format(key=key)}
    again = await home.submit(await home.start(), entered)
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_configured"
    assert len(home.entries) == 1
    assert entry.unique_id is not None
    assert key[:8] not in entry.unique_id


async def test_key_that_is_shown_already(home: Home, site: Site) -> None:
    """A key that stands beside its account, or will, is not added a second time."""
    account = await home.create(site.form(key="Home Assistant", user="wang"))
    again = await home.submit(await home.start(), site.form(key="Home Assistant"))
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "key_configured"
    await home.hass.config_entries.async_remove(account.entry_id)

    await home.create(site.form(key="Home Assistant"))
    both = site.form(key="Home Assistant", user="wang")
    again = await home.submit(await home.start(), both)
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "key_configured"
    await home.create(site.form(user="wang"))


async def test_different_ones(home: Home, site: Site) -> None:
    """Another key, account or site is another entry."""
    site.gateway.world.add_user("li", quota=1)
    elsewhere = await home.serve(household())
    for entered in (
        site.form(user="wang"),
        site.form(user="li"),
        site.form(key="Home Assistant"),
        site.form(key="Homework"),
        elsewhere.form(user="wang"),
        # It even is the same text.
        elsewhere.form(key="Home Assistant"),
    ):
        await home.create(entered)
    assert len({entry.unique_id for entry in home.entries}) == 6


async def test_abandoned_form(home: Home, site: Site) -> None:
    """A form that was left open in another tab is in nobody's way."""
    entered = site.form(user="wang")
    abandoned = await home.start()
    abandoned = await home.submit(abandoned, entered | {"access_token": "mistyped"})
    assert abandoned["errors"] == {"access_token": "invalid_access_token"}
    await home.create(entered)
    late = await home.submit(abandoned, entered)
    assert late["type"] is FlowResultType.ABORT
    assert late["reason"] == "already_configured"


async def test_two_forms_at_once(home: Home, site: Site) -> None:
    """Of two forms that are sent off at once, one makes the entry."""
    entered = site.form(user="wang")
    forms = [await home.start(), await home.start()]
    ends = await asyncio.gather(*(home.submit(form, entered) for form in forms))
    assert {end["type"] for end in ends} == {
        FlowResultType.CREATE_ENTRY,
        FlowResultType.ABORT,
    }
    assert len(home.entries) == 1


async def test_nothing_secret_outside_the_data(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """No credential gets into the log, a title or an ID, whatever happens with it."""
    site = await home.serve_recorded("new_api_0_9")
    form = await home.start()
    for mistake in (wrong_token, unknown_key, key_for_another_address):
        form = await home.submit(form, mistake(site))
    await home.submit(form, site.form(key="main", user="alice"))
    await home.create(site.form(key="tiny"))
    assert "custom_components.new_api" in caplog.text
    shown = f"{caplog.text}{[(entry.title, entry.unique_id) for entry in home.entries]}"
    for secret in home.secrets:
        assert secret.removeprefix("sk-")[:8] not in shown
    assert {flow["handler"] for flow in home.reauths()} <= {DOMAIN}


async def test_user_id_with_zeros(home: Home, site: Site) -> None:
    """A zero in front of a number makes it no other one."""
    form = site.form(user="wang")
    entry = await home.create(form | {"user_id": f"00{form['user_id']}"})
    assert entry.data["user_id"] == form["user_id"]
