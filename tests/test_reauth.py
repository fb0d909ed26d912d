"""Replacing a credential that the site no longer accepts."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from tests.home import SECOND_OPINION, Home, Site, complaints, household, works
from tests.household import ACCOUNT, ALONE, KEY, OWN
from tests.simulator import Answer, Reset, Rewrite, Status

SERVERS: Final = ("new_api_main", "new_api_rc21", "new_api_0_9", "one_api", "one_hub")

REFUSED: Final = {
    "200": Answer.json(200, '{"success": false, "message": "无权进行此操作"}'),
    "401": Answer.json(401, '{"success": false, "message": "unauthorized"}'),
    "403": Answer.json(403, '{"success": false, "message": "forbidden"}'),
}


# What the sensors of the account, of its key and of a key alone begin with.


def fields(form: ConfigFlowResult) -> dict[str, object]:
    """Return the fields of a form and what stands in them."""
    schema = form["data_schema"]
    assert schema is not None
    return {
        str(field): (field.description or {}).get("suggested_value")
        for field in schema.schema
    }


# ------------------------------------------------------------------------------------
# An access token


@pytest.mark.parametrize("server", SERVERS)
async def test_rotated_token(home: Home, server: str) -> None:
    """A token that is refused is asked for, and all is well with the new one.

    Twice is enough where that is not what the site says without its database (2.3).
    """
    site = await home.serve(household(server))
    entry = await home.add(site, key=KEY, user="wang")
    before = site.user("wang").access_token
    token = site.gateway.world.rotate_access_token("wang")

    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    assert home.state(f"{OWN}_status") == "active"
    assert home.reauths() == []

    await home.pass_time(SECOND_OPINION)
    if server != "new_api_main":
        assert home.reauths() == []
        await home.poll()
    form = await home.open_reauth(entry)
    assert form["step_id"] == "reauth_confirm"
    assert fields(form) == {"access_token": None}
    assert form["description_placeholders"] is not None
    assert form["description_placeholders"]["name"] == entry.title
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"

    form = await home.submit(form, {"access_token": before})
    assert form["errors"] == {"access_token": "invalid_access_token"}
    done = await home.submit(form, {"access_token": token})
    assert done["type"] is FlowResultType.ABORT
    assert done["reason"] == "reauth_successful"
    assert dict(entry.data) == site.form(key=KEY, user="wang")
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state(f"{OWN}_remaining_quota") == "25.00"
    assert home.state("claude_code_status") == "active"
    assert home.reauths() == []


async def test_form_has_read_it(home: Home, site: Site) -> None:
    """What the form has read is shown, and not asked for again."""
    entry = await home.add(site, user="wang")
    token = site.gateway.world.rotate_access_token("wang")
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    form = await home.open_reauth(entry)
    asked = site.asked("/api/user/self"), site.asked("/api/token/")
    await home.submit(form, {"access_token": token})
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state("claude_code_status") == "active"
    assert (site.asked("/api/user/self"), site.asked("/api/token/")) == (
        asked[0] + 1,
        asked[1] + 1,
    )


async def test_repair_of_home_assistant(home: Home, site: Site) -> None:
    """Home Assistant's own repair points to the form, and goes with it."""
    entry = await home.add(site, user="wang")
    token = site.gateway.world.rotate_access_token("wang")
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    issues = ir.async_get(home.hass).issues
    assert [issue.translation_key for issue in issues.values()] == [
        "config_entry_reauth"
    ]
    form = await home.open_reauth(entry)
    await home.submit(form, {"access_token": token})
    assert not issues


@pytest.mark.parametrize("key", [None, KEY], ids=["account alone", "with key"])
async def test_token_rotated_while_home_assistant_was_off(
    home: Home, site: Site, key: str | None
) -> None:
    """An entry whose token is refused at the start is set up, and asks for another."""
    entry = await home.add(site, key=key, user="wang")
    await home.hass.config_entries.async_unload(entry.entry_id)
    token = site.gateway.world.rotate_access_token("wang")
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    assert works(entry)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    assert home.reauths() == []
    await home.poll()
    form = await home.open_reauth(entry)
    await home.submit(form, {"access_token": token})
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


@pytest.mark.parametrize("server", SERVERS)
async def test_key_deleted_while_home_assistant_was_off(
    home: Home, server: str
) -> None:
    """So is one whose key is gone."""
    site = await home.serve(household(server))
    entry = await home.add(site, key=KEY)
    await home.hass.config_entries.async_unload(entry.entry_id)
    site.gateway.world.delete_key(KEY)
    await home.hass.config_entries.async_setup(entry.entry_id)
    await home.settle()
    assert works(entry)
    assert home.state(f"{ALONE}_status") == "unavailable"
    assert home.reauths() == []
    await home.pass_time(SECOND_OPINION)
    assert home.state(f"{ALONE}_status") == "invalid"
    assert fields(await home.open_reauth(entry)) == {"api_key": None}


@pytest.mark.parametrize("with_user_id", [True, False])
async def test_token_of_another_account(
    home: Home, site: Site, *, with_user_id: bool
) -> None:
    """A token of another account does not replace that of an entry."""
    li = site.gateway.world.add_user("li", quota=1)
    entry = await home.add(site, user="wang", with_user_id=with_user_id)
    token = site.gateway.world.rotate_access_token("wang")
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    form = await home.open_reauth(entry)
    form = await home.submit(form, {"access_token": li.access_token})
    assert form["errors"] == (
        {"base": "user_id_mismatch"}
        if with_user_id
        else {"access_token": "other_account"}
    )
    assert fields(form) == {"access_token": li.access_token}
    done = await home.submit(form, {"access_token": token})
    assert done["reason"] == "reauth_successful"
    assert entry.data["access_token"] == token
    assert entry.data.get("user_id") == ("2" if with_user_id else None)
    assert entry.unique_id == f"{site.url}|user:2"


async def test_token_that_opens_another_account(home: Home, site: Site) -> None:
    """Figures of another account are never shown, and the token is asked for."""
    entry = await home.add(site, user="wang")
    li = site.gateway.world.add_user("li", quota=7)
    token = site.gateway.world.rotate_access_token("wang")
    li.access_token = entry.data["access_token"]
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    for _ in range(3):
        # A cache may have mixed them up.
        assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
        assert home.reauths() == []
        await home.poll()
    await home.poll()
    form = await home.open_reauth(entry)
    assert fields(form) == {"user_id": "2", "access_token": None}
    form = await home.submit(
        form, {"user_id": str(li.id), "access_token": li.access_token}
    )
    assert form["errors"] == {"access_token": "other_account"}
    done = await home.submit(form, {"user_id": "2", "access_token": token})
    assert done["reason"] == "reauth_successful"
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_two_rejections_that_do_not_agree(home: Home, site: Site) -> None:
    """A mixed-up reply and then a hiccup say nothing about the token together."""
    await home.add(site, user="wang")

    def mix_up(reply: dict[str, Any]) -> dict[str, Any]:
        return {**reply, "data": {**reply["data"], "id": 99}}

    site.gateway.faults.add("/api/user/self", Rewrite(mix_up), times=1)
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    site.gateway.faults.add("/api/user/self", REFUSED["401"], times=1)
    await home.pass_time(SECOND_OPINION)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    assert home.reauths() == []
    await home.pass_time(SECOND_OPINION)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_figures_of_another_account(home: Home, site: Site) -> None:
    """So they are not where only the token tells whose they are."""
    entry = await home.add(site, user="wang", with_user_id=False)
    li = site.gateway.world.add_user("li", quota=7)
    site.gateway.world.rotate_access_token("wang")
    li.access_token = entry.data["access_token"]
    await home.poll(3)
    for sensor in ("remaining_quota", "used_quota", "request_count"):
        assert home.state(f"{ACCOUNT}_{sensor}") == "unavailable"
    await home.poll(3)
    assert fields(await home.open_reauth(entry)) == {"access_token": None}


async def test_site_that_wants_a_user_id_from_now_on(home: Home, site: Site) -> None:
    """A site that begins to want the user ID is given it together with the token."""
    entry = await home.add(site, user="wang", with_user_id=False)
    site.gateway.dialect = household("new_api_rc21").dialect
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    form = await home.open_reauth(entry)
    assert fields(form) == {"user_id": None, "access_token": None}
    token = site.user("wang").access_token
    form = await home.submit(form, {"user_id": "3", "access_token": token})
    assert form["errors"] == {"user_id": "user_id_mismatch"}
    done = await home.submit(form, {"user_id": "2", "access_token": token})
    assert done["reason"] == "reauth_successful"
    assert dict(entry.data) == site.form(user="wang")
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_key_may_be_out_of_order_meanwhile(home: Home, site: Site) -> None:
    """While a token is replaced, the key is not in question."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.world.delete_key(KEY)
    token = site.gateway.world.rotate_access_token("wang")
    for _ in range(2):
        await home.pass_time(SECOND_OPINION)
        await home.poll()
    first = await home.open_reauth(entry)
    if "api_key" in fields(first):
        new = site.gateway.world.add_key(site.user("wang"), "new", quota=500_000)
        await home.submit(first, {"api_key": str(new)})
        await home.poll()
        await home.pass_time(SECOND_OPINION)
        first = await home.open_reauth(entry)
    done = await home.submit(first, {"access_token": token})
    assert done["reason"] == "reauth_successful"
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


# ------------------------------------------------------------------------------------
# An API key


@pytest.mark.parametrize("server", SERVERS)
async def test_deleted_key(home: Home, server: str) -> None:
    """A key that is gone is asked for, and another one takes its place."""
    site = await home.serve(household(server))
    entry = await home.add(site, key=KEY)
    entities = home.entities(entry)
    before = site.key(KEY).secret
    site.gateway.world.delete_key(KEY)

    await home.poll()
    assert home.state(f"{ALONE}_status") == "unavailable"
    assert home.reauths() == []

    await home.pass_time(SECOND_OPINION)
    assert home.state(f"{ALONE}_status") == "invalid"
    assert home.state(f"{ALONE}_remaining_quota") == "unknown"
    form = await home.open_reauth(entry)
    assert fields(form) == {"api_key": None}

    form = await home.submit(form, {"api_key": f"sk-{before}"})
    assert form["errors"] == {"api_key": "invalid_api_key"}
    new = site.gateway.world.add_key(site.user("wang"), "new", quota=2_500_000)
    done = await home.submit(form, {"api_key": str(new)})
    assert done["reason"] == "reauth_successful"
    assert entry.data == {"url": site.url, "api_key": str(new)}
    # The form has used up the critical calls that we allow ourselves.
    await home.poll(4)
    assert home.state(f"{ALONE}_remaining_quota") == "5.00"
    assert home.state(f"{ALONE}_status") == "active"
    assert home.entities(entry) == entities
    assert home.reauths() == []


@pytest.mark.parametrize("server", ["new_api_main", "new_api_rc21"])
@pytest.mark.parametrize("minutes", [5, 2, 1])
async def test_key_deleted_after_a_while(home: Home, server: str, minutes: int) -> None:
    """The questions of the hours before leave one over to notice that it is gone."""
    site = await home.serve(household(server))
    entry = await home.add(site, key=KEY, update_interval=minutes)
    for _ in range(120 // minutes):
        await home.pass_time(timedelta(minutes=minutes) * 1.1 + timedelta(seconds=1))
    assert home.state(f"{ALONE}_remaining_quota") == "25.00"
    site.gateway.world.delete_key(KEY)
    await home.pass_time(timedelta(minutes=minutes) * 1.1 + timedelta(seconds=1))
    seen = {home.state(f"{ALONE}_status")}
    for _ in range(30):
        await home.pass_time(SECOND_OPINION)
        if home.reauths():
            break
        seen.add(home.state(f"{ALONE}_status"))
    assert fields(await home.open_reauth(entry)) == {"api_key": None}
    assert home.state(f"{ALONE}_status") == "invalid"
    # All that time the site refuses it.
    assert seen <= {"unavailable", "refused"}


@pytest.mark.parametrize("server", SERVERS)
async def test_deleted_key_of_an_account(home: Home, server: str) -> None:
    """Beside an account, a deleted key is asked for and the account stays."""
    site = await home.serve(household(server))
    entry = await home.add(site, key=KEY, user="wang")
    # Some of them come when there is room to ask for what they show.
    await home.poll(2)
    entities = home.entities(entry)
    site.gateway.world.delete_key(KEY)
    await home.poll(2)
    form = await home.open_reauth(entry)
    assert fields(form) == {"api_key": None}
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state("claude_code_status") == "active"

    new = site.gateway.world.add_key(site.user("wang"), "new", quota=2_500_000)
    done = await home.submit(form, {"api_key": str(new)})
    assert done["reason"] == "reauth_successful"
    assert dict(entry.data) == site.form(key="new", user="wang")
    assert entry.unique_id == f"{site.url}|user:2"
    assert home.state(f"{OWN}_remaining_quota") == "5.00"
    assert home.entities(entry) == entities


async def test_key_of_another_entry(home: Home, site: Site) -> None:
    """A key that another entry already shows does not replace that of an entry."""
    entry = await home.add(site, key=KEY)
    await home.add(site, key="Claude Code", entry_id="other")
    site.gateway.world.delete_key(KEY)
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    form = await home.open_reauth(entry)
    form = await home.submit(form, {"api_key": str(site.key("Claude Code"))})
    assert form["errors"] == {"base": "already_configured"}
    form = await home.submit(form, {"api_key": str(site.key("Homework"))})
    assert form["reason"] == "reauth_successful"
    await home.poll(4)
    assert home.state(f"{ALONE}_status") == "exhausted"


# ------------------------------------------------------------------------------------
# Nothing of this is a wrong credential


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("key", [None, KEY], ids=["account alone", "with key"])
async def test_hiccup_of_the_account(
    home: Home, site: Site, answer: Answer, key: str | None
) -> None:
    """One refusal of the account is forgotten with the next answer."""
    entry = await home.add(site, key=key, user="wang")
    site.gateway.faults.add("/api/user/self", answer, times=1)
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "unavailable"
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    # The next is the first again.
    site.gateway.faults.add("/api/user/self", answer, times=1)
    await home.poll()
    assert home.reauths(entry) == []
    await home.poll(2)
    assert home.reauths(entry) == []
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_outage_of_the_database(home: Home, site: Site) -> None:
    """A site that knows no token while its database is away is asked again (2.3)."""
    await home.add(site, user="wang")
    site.gateway.faults.add("/api/user/self", REFUSED["200"], times=2)
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    assert home.reauths() == []
    await home.poll()
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.reauths() == []


async def test_hiccup_of_the_key(home: Home) -> None:
    """One refusal of the key is forgotten with the next answer."""
    site = await home.serve(household("one_api"))
    await home.add(site, key=KEY)
    unknown = '{"error": {"message": "无效的令牌", "type": "one_api_error"}}'
    for _ in range(2):
        site.gateway.faults.add("/v1/dashboard/*", Answer.json(401, unknown), times=2)
        await home.poll()
        assert home.state(f"{ALONE}_status") == "unavailable"
        await home.pass_time(SECOND_OPINION)
        assert home.state(f"{ALONE}_status") == "active"
    await home.poll(2)
    assert home.reauths() == []


async def test_longer_hiccup_is_called_off(home: Home, site: Site) -> None:
    """A request for a credential ends by itself when the site accepts it again."""
    await home.add(site, user="wang")
    site.gateway.faults.add("/api/user/self", REFUSED["401"])
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    assert len(home.reauths()) == 1
    await home.poll(2)
    assert len(home.reauths()) == 1
    site.gateway.faults.clear()
    await home.poll()
    assert home.reauths() == []
    assert not ir.async_get(home.hass).issues
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"


async def test_hiccup_is_called_off_after_a_reload(home: Home, site: Site) -> None:
    """So it does where the entry was set up anew in between."""
    entry = await home.add(site, user="wang")
    site.gateway.faults.add("/api/user/self", REFUSED["401"])
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    assert len(home.reauths()) == 1
    await home.hass.config_entries.async_reload(entry.entry_id)
    await home.settle()
    site.gateway.faults.clear()
    await home.poll(2)
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.reauths() == []


async def test_key_comes_back(home: Home, site: Site) -> None:
    """So it does for a key."""
    await home.add(site, key=KEY)
    key = site.gateway.world.keys.pop(1)
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    assert len(home.reauths()) == 1
    site.gateway.world.keys[1] = key
    await home.poll()
    assert home.reauths() == []
    assert home.state(f"{ALONE}_remaining_quota") == "25.00"


async def test_request_for_the_other_credential_stays(home: Home, site: Site) -> None:
    """What one credential is asked for is not called off by the other's recovery."""
    entry = await home.add(site, key=KEY, user="wang")
    site.gateway.world.rotate_access_token("wang")
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    (flow,) = home.reauths(entry)
    # Meanwhile, the key vanishes for some time.
    key = site.gateway.world.keys.pop(1)
    await home.poll(3)
    site.gateway.world.keys[1] = key
    await home.poll()
    assert home.state(f"{OWN}_status") == "active"
    assert [flow["flow_id"] for flow in home.reauths(entry)] == [flow["flow_id"]]


@pytest.mark.parametrize(
    ("subject", "entered"),
    [
        pytest.param({"key": KEY}, {"api_key": "sk-mistyped"}, id="key"),
        pytest.param({"user": "wang"}, {"access_token": "mistyped"}, id="token"),
    ],
)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(502),
        Answer(429),
        Answer(200, "<html></html>", (("Content-Type", "text/html"),)),
        Answer(302, headers=(("Location", "https://parked.example/"),)),
        Reset(),
    ],
    ids=["trouble", "rate limit", "web page", "moved", "unreachable"],
)
async def test_site_is_away_when_asked(
    home: Home,
    site: Site,
    subject: dict[str, Any],
    entered: dict[str, str],
    answer: Answer | Reset,
) -> None:
    """Where the site does not answer, the form says so where it can be seen."""
    entry = await home.add(site, **subject)
    site.gateway.world.rotate_access_token("wang")
    site.gateway.world.rotate_key(KEY)
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    form = await home.open_reauth(entry)
    site.gateway.faults.add("*", answer)
    form = await home.submit(form, entered)
    assert form["type"] is FlowResultType.FORM
    assert form["errors"]


async def test_reconfigure_comes_first(home: Home, site: Site) -> None:
    """While a person changes an entry, nobody asks for its credential."""
    entry = await home.add(site, user="wang")
    form = await home.start_reconfigure(entry)
    site.gateway.world.rotate_access_token("wang")
    await home.poll(3)
    assert home.reauths() == []
    home.hass.config_entries.flow.async_abort(form["flow_id"])
    await home.poll()
    assert len(home.reauths()) == 1


async def test_both_credentials_gone(home: Home, site: Site) -> None:
    """Where both are refused, one is asked for after the other."""
    entry = await home.add(site, key=KEY, user="wang")
    token = site.gateway.world.rotate_access_token("wang")
    key = site.gateway.world.rotate_key(KEY)
    answers = {"api_key": {"api_key": key}, "access_token": {"access_token": token}}
    asked = []
    for _ in range(2):
        await home.poll(3)
        form = await home.open_reauth(entry)
        (first, *_) = fields(form)
        asked.append(first)
        done = await home.submit(form, answers[first])
        assert done["reason"] == "reauth_successful"
    assert sorted(asked) == ["access_token", "api_key"]
    await home.poll(3)
    assert home.reauths() == []
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state(f"{OWN}_remaining_quota") == "25.00"


def use_up(site: Site) -> None:
    """Leave nothing of the key."""
    site.gateway.spend(KEY, site.key(KEY).remain_quota)


def expire(site: Site) -> None:
    """Let the time of the key be over."""
    site.gateway.world.expire_key(KEY)


def disable(site: Site) -> None:
    """Disable the key."""
    site.gateway.world.disable_key(KEY)


def forbid_address(site: Site) -> None:
    """Allow the key only from elsewhere."""
    key = site.key(KEY)
    key.allow_ips, key.subnet = ("192.0.2.1",), "192.0.2.0/24"


def ban(site: Site) -> None:
    """Disable the account."""
    site.user("wang").status = Status.DISABLED


@pytest.mark.parametrize(
    ("server", "with_account"),
    [
        *(pytest.param(server, False, id=f"{server} alone") for server in SERVERS),
        *(
            pytest.param(server, True, id=f"{server} with account")
            for server in ("new_api_main", "one_api", "one_hub")
        ),
    ],
)
@pytest.mark.parametrize(
    ("change", "status"),
    [
        (use_up, "exhausted"),
        (expire, "expired"),
        (disable, "disabled"),
        (forbid_address, "ip_restricted"),
        (ban, "owner_disabled"),
    ],
)
async def test_state_of_a_right_key(
    home: Home,
    server: str,
    change: Callable[[Site], None],
    status: str,
    *,
    with_account: bool,
) -> None:
    """What happens to a right key is its state, and nobody is asked for another."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, user="wang" if with_account else None)
    change(site)
    await home.poll(3)
    sensor = OWN if with_account else ALONE
    if (server, status, with_account) == ("one_hub", "owner_disabled", False):
        # It says of such a key only that there is none.
        assert home.state(f"{sensor}_status") == "invalid"
        return
    assert home.state(f"{sensor}_status") == status
    assert home.reauths() == []


@pytest.mark.parametrize("server", ["new_api_main", "new_api_rc21", "one_api"])
async def test_key_refused_for_another_reason(home: Home, server: str) -> None:
    """A key whose group is gone is refused, and another one would be no better."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY)
    site.key(KEY).group = "gone"
    await home.poll()
    assert home.state(f"{ALONE}_status") == "unavailable"
    await home.pass_time(SECOND_OPINION)
    assert home.state(f"{ALONE}_status") == "refused"
    await home.poll(3)
    assert home.state(f"{ALONE}_status") == "refused"
    assert home.reauths() == []
    site.key(KEY).group = ""
    await home.poll()
    assert home.state(f"{ALONE}_status") == "active"


@pytest.mark.parametrize("server", SERVERS)
async def test_banned_account(
    home: Home, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """That the site has disabled an account is a state of it, and no figures are known.

    It needs no new token, and is no failure that the log would tell of.
    """
    site = await home.serve(household(server))
    entry = await home.add(site, user="wang")
    assert home.state(f"{ACCOUNT}_status") == "active"
    ban(site)
    for _ in range(2):
        await home.poll(3)
        assert home.state(f"{ACCOUNT}_status") == "disabled"
        for sensor in ("remaining_quota", "used_quota", "request_count"):
            assert home.state(f"{ACCOUNT}_{sensor}") == "unavailable"
        assert home.state(f"{OWN}_remaining_quota") == "unavailable"
        # And so it is after a start.
        await home.hass.config_entries.async_reload(entry.entry_id)
        await home.settle()
        assert works(entry)
    assert home.reauths() == []
    assert complaints(caplog) == []
    site.user("wang").status = Status.ENABLED
    await home.poll()
    assert home.state(f"{ACCOUNT}_status") == "active"
    assert home.state(f"{ACCOUNT}_remaining_quota") == "90.01"
    assert home.state(f"{OWN}_remaining_quota") == "25.00"


@pytest.mark.parametrize("server", SERVERS)
async def test_cache_that_lags(
    home: Home, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Caches let figures go back and forth (3.6): they are shown, and that is all."""
    site = await home.serve(household(server))
    await home.add(site, key=KEY, user="wang")
    wang, before = site.user("wang"), site.user("wang").quota
    for lag in (500_000, 0, 250_000, 0):
        wang.quota = before + lag
        await home.poll()
        amount = f"{Decimal(before + lag) / 500_000:.2f}"
        assert home.state(f"{ACCOUNT}_remaining_quota") == amount
        assert home.state(f"{ACCOUNT}_used_quota") == "202.30"
    assert home.reauths() == []
    assert complaints(caplog) == []


@pytest.mark.parametrize("path", ["*", "/api/user/self", "/v1/dashboard/*"])
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_of_the_site(
    home: Home, site: Site, path: str, status: int
) -> None:
    """A site that fails says nothing about credentials."""
    await home.add(site, key=KEY, user="wang")
    site.gateway.faults.add(path, Answer(status))
    await home.poll(4)
    assert home.reauths() == []


@pytest.mark.parametrize(
    "subject", [{"key": KEY}, {"user": "wang"}], ids=["key", "account"]
)
async def test_refusals_of_a_site_that_is_not_there(
    home: Home, site: Site, subject: dict[str, Any]
) -> None:
    """Who does not even say what it is says nothing about credentials, either."""
    await home.add(site, **subject)
    site.gateway.faults.add("/api/status", Answer(502))
    site.gateway.world.rotate_access_token("wang")
    site.gateway.world.rotate_key(KEY)
    await home.poll()
    await home.pass_time(SECOND_OPINION)
    await home.poll(4)
    assert home.reauths() == []
    site.gateway.faults.clear()
    await home.poll(4)
    assert len(home.reauths()) == 1
