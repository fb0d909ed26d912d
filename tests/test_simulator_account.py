"""The simulated gateway knows what an account can meet: caches, money, news."""

from datetime import UTC, datetime
import json
from typing import Any, Final

from aiohttp import ClientSession
from freezegun.api import FrozenDateTimeFactory
import pytest

from tests.simulator import Gateway, Group, Heartbeat, Monitor, Payment, Rewrite
from tests.simulator.lively import LivelyHour
from tests.simulator.visiting import account, bearer, data

NOW: Final = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
STARTED: Final = int(NOW.timestamp())
DAY: Final = 86_400
KEY: Final = "Home Assistant"
HOUR: Final = STARTED - STARTED % 3_600
SPAN: Final = f"start_timestamp={HOUR}&end_timestamp={HOUR + 7_200}"

QUOTA: Final = 45_005_000
USED: Final = 101_150_000


@pytest.fixture
def gateway(freezer: FrozenDateTimeFactory) -> Gateway:
    """Give the household's gateway, with a clock that stands still."""
    freezer.move_to(NOW)
    return Gateway.demo()


def hours(gateway: Gateway) -> int:
    """Return what the statistics have of the last hours."""
    return sum(row["quota"] for row in data(gateway, f"/api/data/self?{SPAN}"))


def balance(gateway: Gateway) -> tuple[int, int]:
    """Return what is left and what was used."""
    myself = data(gateway, "/api/user/self")
    return myself["quota"], myself["used_quota"]


# The log and the statistics


def test_export_can_be_off_for_a_while(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """What is spent then is never in the statistics; what was there stays."""
    before = hours(gateway)
    gateway.spend(KEY, 10)
    gateway.configure(data_export=False)
    assert data(gateway, "/api/status")["enable_data_export"] is False
    gateway.spend(KEY, 200)
    gateway.configure(data_export=True)
    gateway.spend(KEY, 3_000)
    freezer.tick(300)

    assert hours(gateway) == before + 3_010
    stat = data(gateway, f"/api/log/self/stat?start_timestamp={STARTED}")
    assert stat["quota"] == 3_210


def test_rows_of_another_node_come_late(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """They are missing until they arrive, and then are in the hour they belong to."""
    before = hours(gateway)
    gateway.world.hold_back(gateway.spend(KEY, 10))
    gateway.spend(KEY, 200)
    freezer.tick(300)
    assert hours(gateway) == before + 200
    freezer.tick(3_600)
    gateway.world.deliver()

    assert hours(gateway) == before + 210
    rows = data(gateway, f"/api/data/self?{SPAN}")
    assert max(row["created_at"] for row in rows) == HOUR


def test_requests_need_not_be_logged(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """Without a log nothing is told of a request but what it has cost."""
    before = data(gateway, "/api/log/self/stat")["quota"], hours(gateway)
    gateway.configure(log_consumption=False)
    gateway.spend(KEY, 10)
    freezer.tick(300)

    assert (data(gateway, "/api/log/self/stat")["quota"], hours(gateway)) == before
    assert balance(gateway) == (QUOTA - 10, USED + 10)


def test_the_log_can_be_thrown_away(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """Then the statistics still know."""
    before = hours(gateway)
    gateway.spend(KEY, 10)
    freezer.tick(300)
    gateway.world.log_purged_before = STARTED + 1

    assert data(gateway, "/api/log/self/stat")["quota"] == 0
    assert data(gateway, "/api/log/self?p=1")["total"] == 0
    assert hours(gateway) == before + 10


@pytest.mark.parametrize(
    ("server", "query", "rows"),
    [
        ("new_api_main", "type=6&p=1&page_size=100", ["items"]),
        ("new_api_rc21", "type=6&p=1&page_size=100", ["items"]),
        ("one_hub", "log_type=6&page=1&size=100", ["data"]),
        ("one_api", "type=6&p=0", []),
    ],
)
def test_refunds_by_range(
    server: str, query: str, rows: list[str], freezer: FrozenDateTimeFactory
) -> None:
    """Refunds of a range are rows with an amount, where there are such rows."""
    freezer.move_to(NOW)
    gateway = Gateway.demo(server)
    gateway.refund(KEY, 700)
    freezer.tick(60)
    gateway.refund(KEY, 40)
    path = f"/api/log/self?{query}&start_timestamp={STARTED}&end_timestamp={STARTED}"
    found = data(gateway, path)
    for name in rows:
        found = found[name]

    knows_them = gateway.dialect.accounting.refunds_are_rows
    assert [row["quota"] for row in found] == ([700] if knows_them else [])
    assert balance(gateway)[0] == QUOTA + 740


# Requests under way, and caches


def test_a_request_under_way(gateway: Gateway, freezer: FrozenDateTimeFactory) -> None:
    """The balance falls first; what was used follows, and the rest comes back."""
    key = gateway.world.key(KEY)
    left, used = key.remain_quota, key.used_quota
    under_way = gateway.reserve(KEY, 1_000)
    assert balance(gateway) == (QUOTA - 1_000, USED)
    assert (key.remain_quota, key.used_quota) == (left - 1_000, used + 1_000)
    freezer.tick(30)
    gateway.settle(under_way, 400)

    assert balance(gateway) == (QUOTA - 400, USED + 400)
    assert (key.remain_quota, key.used_quota) == (left - 400, used + 400)
    assert data(gateway, "/api/user/self")["request_count"] == 1_235


def test_a_request_that_fails(gateway: Gateway) -> None:
    """All comes back, and nothing was used."""
    key = gateway.world.key(KEY)
    left, used = key.remain_quota, key.used_quota
    gateway.world.release(gateway.reserve(KEY, 1_000))

    assert balance(gateway) == (QUOTA, USED)
    assert (key.remain_quota, key.used_quota) == (left, used)
    assert data(gateway, "/api/user/self")["request_count"] == 1_234


def test_figures_of_different_moments(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """What comes out of a cache is late; what does not, is not."""
    gateway.configure(late={"user.quota": 60, "key.used_quota": 30})
    used = gateway.world.key(KEY).used_quota
    gateway.spend(KEY, 1_000)
    freezer.tick(20)
    gateway.spend(KEY, 500)
    assert balance(gateway) == (QUOTA, USED + 1_500)
    freezer.tick(20)

    def token() -> dict[str, Any]:
        reply = gateway.answer("/api/usage/token/", bearer(gateway, KEY))
        told: dict[str, Any] = json.loads(reply.body)["data"]
        return told

    assert token()["total_used"] == used + 1_000
    assert token()["total_available"] == 12_500_000 - 1_500
    freezer.tick(20)
    assert balance(gateway) == (QUOTA - 1_000, USED + 1_500)
    freezer.tick(60)
    assert balance(gateway) == (QUOTA - 1_500, USED + 1_500)
    assert token()["total_used"] == used + 1_500


# Money that comes in


def test_a_payment_takes_its_time(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """It is pending at first, and the balance rises when it has arrived."""
    world = gateway.world
    order = world.order("wang", 10)
    given_up = world.order("wang", 20)
    freezer.tick(90)
    given_up.status = Payment.FAILED
    assert balance(gateway)[0] == QUOTA
    told = {row["id"]: row for row in data(gateway, "/api/user/topup/self")["items"]}
    assert (told[order.id]["status"], told[order.id]["complete_time"]) == ("pending", 0)
    assert told[given_up.id]["status"] == "failed"
    world.complete(order, 5_000_000)

    assert balance(gateway) == (QUOTA + 5_000_000, USED)
    told = {row["id"]: row for row in data(gateway, "/api/user/topup/self")["items"]}
    assert told[order.id]["status"] == "success"
    assert told[order.id]["complete_time"] == STARTED + 90


@pytest.mark.parametrize(
    ("server", "shown"), [("new_api_main", 3), ("new_api_0_12", 4)]
)
def test_old_payments(server: str, shown: int, freezer: FrozenDateTimeFactory) -> None:
    """Newer servers show those of 30 days only."""
    freezer.move_to(NOW)
    gateway = Gateway.demo(server)

    assert len(data(gateway, "/api/user/topup/self")["items"]) == shown


def test_gifts_have_a_type_and_no_amount(gateway: Gateway) -> None:
    """A code, an administrator and a check-in raise the balance, told in words."""
    world = gateway.world
    world.redeem("wang", 100)
    world.grant("wang", 2_000)
    gateway.check_in("wang", 30_000)
    world.grant("wang", -7)

    assert balance(gateway) == (QUOTA + 32_093, USED)
    rows = data(gateway, f"/api/log/self?p=1&start_timestamp={STARTED}")["items"]
    assert [row["type"] for row in rows] == [3, 4, 3, 1]
    assert {row["quota"] for row in rows} == {0}


def test_referral_reward(gateway: Gateway) -> None:
    """It waits until it is moved to the balance."""
    waiting = data(gateway, "/api/user/self")["aff_quota"]
    gateway.world.reward_referral("wang", 900)
    assert data(gateway, "/api/user/self")["aff_quota"] == waiting + 900
    gateway.world.fetch_referral_reward("wang")

    assert data(gateway, "/api/user/self")["aff_quota"] == 0
    assert balance(gateway)[0] == QUOTA + waiting + 900


# Check-in


def test_check_in_as_wong_sites_do(gateway: Gateway) -> None:
    """The same path has another shape there."""
    gateway.configure(check_in_dialect="wong")
    assert data(gateway, "/api/user/checkin?month=2026-11") == {
        "checked_in": False,
        "checked_at": 0,
        "enabled": True,
        "quota": 0,
    }
    gateway.check_in("wang", 700)
    told = data(gateway, "/api/user/checkin?month=2026-11")
    assert (told["checked_in"], told["quota"]) == (True, 700)
    gateway.configure(check_in=False)

    assert data(gateway, "/api/user/checkin")["enabled"] is False


def test_check_in_at_veloera(freezer: FrozenDateTimeFactory) -> None:
    """It is possible once a day, where the site has it."""
    freezer.move_to(NOW)
    gateway = Gateway.demo("veloera")

    def possible() -> bool:
        told: bool = data(gateway, "/api/user/check_in_status")["can_check_in"]
        return told

    assert possible()
    gateway.check_in("wang", 700)
    assert not possible()
    freezer.tick(DAY)
    assert possible()
    gateway.configure(check_in=False)
    assert not possible()


# Models, news and monitors


def test_models_come_and_go(gateway: Gateway) -> None:
    """A new model is there at once, and one that is gone is nowhere."""
    gateway.world.add_model("glm-5", vendor="Zhipu")
    gateway.world.remove_model("gpt-5")

    names = data(gateway, "/api/user/models")
    assert "glm-5" in names
    assert "gpt-5" not in names
    reply = gateway.answer("/v1/models", bearer(gateway, KEY))
    assert {row["id"] for row in json.loads(reply.body)["data"]} == set(names)


def test_lists_are_not_stable(gateway: Gateway) -> None:
    """The same models come in another order each time."""
    gateway.configure(shuffles_models=True)
    lists = [tuple(data(gateway, "/api/user/models")) for _ in range(5)]

    assert len(set(lists)) == 5
    assert len({frozenset(each) for each in lists}) == 1


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("path", ["/api/user/models", "/v1/models"])
async def test_a_model_can_be_missing_once(gateway: Gateway, path: str) -> None:
    """In one reply it is not there, and in the next it is."""
    headers = account(gateway) if "user" in path else bearer(gateway, KEY)
    gateway.faults.add(path, Rewrite.without_model("gpt-5"), times=1)
    found = []
    async with gateway.serve() as url, ClientSession() as session:
        for _ in range(2):
            async with session.get(url.with_path(path), headers=headers) as reply:
                rows = (await reply.json())["data"]
                names = [each if "user" in path else each["id"] for each in rows]
                found.append((len(names), "gpt-5" in names))

    assert found == [(11, False), (12, True)]


def test_announcements(gateway: Gateway, freezer: FrozenDateTimeFactory) -> None:
    """The newest is on top; without any being wanted, the list is not there."""
    before = data(gateway, "/api/status")["announcements"]
    freezer.tick(60)
    gateway.announce("<b>Prices</b> fall", kind="warning")
    gateway.configure(notice="")

    first, *others = data(gateway, "/api/status")["announcements"]
    assert first == {
        "content": "<b>Prices</b> fall",
        "publishDate": "2026-11-23T08:16:00Z",
        "type": "warning",
        "extra": "",
    }
    assert others == before
    assert data(gateway, "/api/notice") == ""
    gateway.configure(announcements_enabled=False)
    status = data(gateway, "/api/status")
    assert status["announcements_enabled"] is False
    assert "announcements" not in status


def test_monitors(gateway: Gateway) -> None:
    """They are grouped, change, and are missing where their page does not answer."""
    world = gateway.world
    world.monitors = [
        Monitor(category="Models", name="OpenAI", uptime=0.5),
        Monitor(category="Site", name="Console", group="EU"),
        Monitor(category="Models", name="Qwen"),
    ]
    world.monitors[0].status = Heartbeat.DOWN

    def told() -> dict[str, Any]:
        return {
            each["categoryName"]: each["monitors"]
            for each in data(gateway, "/api/uptime/status")
        }

    assert told() == {
        "Models": [
            {"name": "OpenAI", "uptime": 0.5, "status": 0},
            {"name": "Qwen", "uptime": 1, "status": 1},
        ],
        "Site": [{"name": "Console", "uptime": 1, "status": 1, "group": "EU"}],
    }
    world.silent_monitors.add("Models")
    assert told()["Models"] == []
    gateway.configure(uptime_kuma=False)
    assert data(gateway, "/api/status")["uptime_kuma_enabled"] is False


def test_groups_with_a_word_for_a_ratio(gateway: Gateway) -> None:
    """The ratio of the pseudo-group is a word."""
    gateway.world.groups["auto"] = Group("自动选择", "自动")

    told = data(gateway, "/api/user/self/groups")
    assert (told["auto"]["ratio"], told["default"]["ratio"]) == ("自动", 1)


# A demonstration


def test_something_happens_each_minute(
    gateway: Gateway, freezer: FrozenDateTimeFactory
) -> None:
    """News, a model, money in and back, and a failure, right to the unit."""
    hour = LivelyHour(gateway, "Claude Code")
    announced = len(data(gateway, "/api/status")["announcements"])
    for _ in range(16):
        freezer.tick(20)
        hour.go_on()

    span = f"start_timestamp={STARTED + 1}"
    spent = data(gateway, f"/api/log/self/stat?{span}")["quota"]
    (refund,) = data(gateway, f"/api/log/self?type=6&{span}")["items"]
    assert spent > refund["quota"] > 0
    assert balance(gateway) == (
        QUOTA - spent + 20 * 500_000 + refund["quota"],
        USED + spent - refund["quota"],
    )
    assert data(gateway, "/api/user/self")["request_count"] == 1_234 + 16
    assert len(data(gateway, "/api/status")["announcements"]) == announced + 1
    assert len(data(gateway, "/api/user/models")) == 13
    payments = data(gateway, "/api/user/topup/self")["items"]
    assert {each["status"] for each in payments} == {"success"}
    monitors = data(gateway, "/api/uptime/status")[0]["monitors"]
    assert monitors[0]["status"] == 0


# Keys


def test_a_key_is_edited_and_replaced(gateway: Gateway) -> None:
    """An edit changes what is left only; a new key of the same name is another."""
    world = gateway.world
    old = world.key(KEY)
    used, secret = old.used_quota, old.secret
    world.edit_key(KEY, remain_quota=1_000_000)
    assert (old.remain_quota, old.used_quota) == (1_000_000, used)
    new = world.replace_key(KEY)

    rows = data(gateway, "/api/token/?p=1&size=100")["items"]
    assert [row["id"] for row in rows if row["name"] == KEY] == [new.id]
    assert new.id not in {row["id"] for row in rows if row["name"] != KEY}
    assert (new.remain_quota, new.used_quota) == (1_000_000, 0)
    refused = gateway.answer("/v1/models", {"Authorization": f"Bearer sk-{secret}"})
    assert refused.status == 401
    # Ids are not used twice.
    world.delete_key(KEY)
    assert world.add_key(world.user("wang"), "Another").id > new.id
