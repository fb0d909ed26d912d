"""What was spent: replies of all families, and those that nobody should believe."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any, Final

from aiohttp import ClientSession
import pytest

from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.errors import UnexpectedReplyError
from custom_components.new_api.gateway.models import Family, Site
from custom_components.new_api.gateway.usage import (
    KeyUsage,
    LogKind,
    ModelDay,
    ModelUsage,
    Spent,
)
from tests.gateway.scripted import Handler, Scripted, scripted
from tests.gateway.test_client import NOW, SITES, STATUS, client_of, yes

HOUR: Final = 3_600
START: Final = NOW - NOW % HOUR
END: Final = START + HOUR - 1

SPENT: Final = "/api/log/self/stat"
LOG: Final = "/api/log/self"
BY_HOUR: Final = "/api/data/self"
BY_KEY: Final = "/api/data/flow/self"
BY_DAY: Final = "/api/user/dashboard"

type Question[T] = Callable[[Client, Site], Awaitable[T]]


async def asked[T](
    session: ClientSession,
    replies: Mapping[str, Handler],
    question: Question[T],
    family: Family = Family.NEW_API,
) -> tuple[T, Scripted]:
    """Put a question about account 2 to a site."""
    async with scripted({STATUS: SITES[family], **replies}, now=NOW) as gateway:
        client = client_of(session, gateway, account_id=2)
        site = await client.site()
        gateway.asked.clear()
        return await question(client, site), gateway


async def spent(client: Client, site: Site) -> Spent:
    """Ask what was spent in an hour."""
    return await client.spent(site, START, END)


async def by_hour(client: Client, site: Site) -> tuple[ModelUsage, ...]:
    """Ask what went to each model in an hour."""
    return await client.usage_by_hour(site, START, END)


async def by_key(client: Client, site: Site) -> tuple[KeyUsage, ...]:
    """Ask what each key spent in an hour."""
    return await client.usage_by_key(site, START, END)


async def by_day(client: Client, site: Site) -> tuple[ModelDay, ...]:
    """Ask what went to each model on each day."""
    return await client.usage_by_day(site)


async def refunded(client: Client, site: Site) -> int:
    """Ask what was refunded in an hour."""
    return sum(await client.logged(site, LogKind.REFUND, START, END))


def hour(**more: Any) -> dict[str, Any]:
    """Return a row of the hourly statistics."""
    row = {
        "id": 0,
        "user_id": 2,
        "username": "alice",
        "model_name": "gpt-5",
        "created_at": START,
        "token_used": 1_500,
        "count": 1,
        "quota": 10_000,
    }
    return row | more


def flow(**more: Any) -> dict[str, Any]:
    """Return a row of what a key spent."""
    row = {
        "token_id": 1,
        "token_name": "main",
        "use_group": "default",
        "model_name": "gpt-5",
        "token_used": 1_500,
        "count": 1,
        "quota": 10_000,
    }
    return row | more


def logged(**more: Any) -> dict[str, Any]:
    """Return a row of the log: a refund."""
    row = {
        "id": 0,
        "user_id": 2,
        "created_at": START,
        "type": 6,
        "content": "",
        "quota": 700,
    }
    return row | more


def one_api_day(**more: Any) -> dict[str, Any]:
    """Return a row of One API's dashboard."""
    row = {
        "Day": "2026-11-17",
        "ModelName": "gpt-5",
        "RequestCount": 3,
        "Quota": 13_263,
        "PromptTokens": 3_000,
        "CompletionTokens": 376,
    }
    return row | more


def one_hub_day(**more: Any) -> dict[str, Any]:
    """Return a row of One Hub's dashboard."""
    row = {
        "date": "2026-11-17T00:00:00Z",
        "model_name": "gpt-5",
        "request_count": 3,
        "quota": 13_263,
        "prompt_tokens": 3_000,
        "completion_tokens": 376,
        "request_time": 6_000,
    }
    return row | more


async def test_parts_of_one_sum(session: ClientSession) -> None:
    """Rows about the same model and hour, or key, are one (6.7)."""
    rows, _ = await asked(
        session,
        {
            BY_HOUR: yes(
                [
                    hour(model_name="qwen"),
                    hour(),
                    # The server counts in hours; what a fork adds within is of it.
                    hour(created_at=START + 1_800, quota=1, count=2, token_used=3),
                ]
            )
        },
        by_hour,
    )
    assert rows == (
        ModelUsage("gpt-5", START, 10_001, 3, 1_503),
        ModelUsage("qwen", START, 10_000, 1, 1_500),
    )
    keys, _ = await asked(
        session,
        {
            BY_KEY: yes(
                [
                    flow(token_id=7),
                    flow(use_group="vip", quota=5, count=6, token_used=7),
                    flow(),
                ]
            )
        },
        by_key,
    )
    assert keys == (
        KeyUsage(1, "gpt-5", 10_005, 7, 1_507),
        KeyUsage(7, "gpt-5", 10_000, 1, 1_500),
    )


@pytest.mark.parametrize(
    ("family", "row"),
    [(Family.ONE_API, one_api_day()), (Family.ONE_HUB, one_hub_day())],
)
async def test_days(
    session: ClientSession, family: Family, row: dict[str, Any]
) -> None:
    """Both dialects say the same; a date may carry a time."""
    days, gateway = await asked(session, {BY_DAY: yes([row])}, by_day, family)
    assert days == (ModelDay("gpt-5", date(2026, 11, 17), 13_263, 3, 3_376),)
    assert gateway.paths == [BY_DAY]


async def test_none_at_all(session: ClientSession) -> None:
    """Nothing was used, and Go writes an empty list as null in the dashboard (6.7)."""
    replies = dict.fromkeys((BY_HOUR, BY_KEY, BY_DAY), yes([]))

    async def question(client: Client, site: Site) -> list[tuple[object, ...]]:
        return [
            await by_hour(client, site),
            await by_key(client, site),
            await by_day(client, site),
        ]

    assert (await asked(session, replies, question))[0] == [(), (), ()]
    assert (await asked(session, {BY_DAY: yes(None)}, by_day))[0] == ()


@pytest.mark.parametrize(("path", "question"), [(BY_HOUR, by_hour), (BY_KEY, by_key)])
async def test_null_is_no_list(
    session: ClientSession, path: str, question: Question[object]
) -> None:
    """Nothing is known of a null there, so that it takes nothing away."""
    with pytest.raises(UnexpectedReplyError):
        await asked(session, {path: yes(None)}, question)


async def test_whole_hours_are_asked_for(session: ClientSession) -> None:
    """A running hour is stamped at its start, so the question begins there (6.7)."""
    month = 30 * 24 * HOUR

    async def question(client: Client, site: Site) -> None:
        for ask in (client.usage_by_hour, client.usage_by_key):
            await ask(site, START + 1_234, START + month)
            with pytest.raises(ValueError, match="30 days"):
                await ask(site, START + 1_234, START + month + 1)

    _, gateway = await asked(session, {BY_HOUR: yes([]), BY_KEY: yes([])}, question)
    asked_for = f"start_timestamp={START}&end_timestamp={START + month}"
    assert gateway.paths == [f"{BY_HOUR}?{asked_for}", f"{BY_KEY}?{asked_for}"]


async def test_spent_is_asked_for_to_the_second(session: ClientSession) -> None:
    """Midnight is not the beginning of an hour everywhere."""

    async def question(client: Client, site: Site) -> Spent:
        return await client.spent(site, START + 1_800, END)

    said, gateway = await asked(session, {SPENT: yes({"quota": 5})}, question)
    assert said == Spent(5, None, None)
    assert gateway.paths == [
        f"{SPENT}?type=2&start_timestamp={START + 1_800}&end_timestamp={END}"
    ]


@pytest.mark.parametrize(
    ("path", "question", "data"),
    [
        (SPENT, spent, {}),
        (SPENT, spent, {"quota": "5"}),
        (SPENT, spent, {"quota": 0.5}),
        (SPENT, spent, {"quota": True}),
        (SPENT, spent, {"quota": 2**63}),
        (SPENT, spent, {"quota": 5, "rpm": -1}),
        (SPENT, spent, {"quota": 5, "tpm": None}),
        (BY_HOUR, by_hour, {"gpt-5": 1}),
        (BY_HOUR, by_hour, [hour(), None]),
        (BY_HOUR, by_hour, [hour(), hour(user_id=3)]),
        (BY_HOUR, by_hour, [hour(user_id=None)]),
        (BY_HOUR, by_hour, [hour(created_at=START - HOUR)]),
        (BY_HOUR, by_hour, [hour(created_at=START + HOUR)]),
        (BY_HOUR, by_hour, [hour(created_at="now")]),
        (BY_HOUR, by_hour, [hour(model_name=None)]),
        (BY_HOUR, by_hour, [hour(quota=None)]),
        (BY_HOUR, by_hour, [hour(count=-1)]),
        (BY_HOUR, by_hour, [hour(token_used=1.5)]),
        (BY_KEY, by_key, [flow(token_id=None)]),
        (BY_KEY, by_key, [flow(model_name=5)]),
        (BY_KEY, by_key, [flow(quota="5")]),
        (BY_DAY, by_day, [one_api_day(Day="yesterday")]),
        (BY_DAY, by_day, [one_api_day(Day="2026-11-31")]),
        (BY_DAY, by_day, [one_api_day(Quota=None)]),
        (BY_DAY, by_day, [one_hub_day(date=None)]),
        (BY_DAY, by_day, [one_hub_day(date="")]),
        (BY_DAY, by_day, [one_hub_day(completion_tokens=None)]),
        (LOG, refunded, [logged(user_id=3)]),
        (LOG, refunded, [logged(quota="700")]),
        (LOG, refunded, [logged(quota=-700)]),
        (LOG, refunded, [logged(type=None)]),
        (LOG, refunded, [logged(created_at=None)]),
        (LOG, refunded, ["refunded"]),
        (LOG, refunded, {"items": [logged()], "total": 2}),
    ],
)
async def test_what_cannot_be_believed(
    session: ClientSession, path: str, question: Question[object], data: Any
) -> None:
    """One wrong field, or one row of somebody else, and nothing of it is used."""
    with pytest.raises(UnexpectedReplyError):
        await asked(session, {path: yes(data)}, question)


async def test_refunds_of_the_range_only(session: ClientSession) -> None:
    """A server that does not know a parameter sends more than it was asked for."""
    total, gateway = await asked(
        session,
        {
            LOG: yes(
                [
                    logged(),
                    logged(type=2, quota=10_000),
                    logged(created_at=START - 1),
                    logged(created_at=END),
                    logged(created_at=END + 1),
                ]
            )
        },
        refunded,
    )
    assert total == 1_400
    assert len(gateway.paths) == 1


async def test_same_refund_twice(session: ClientSession) -> None:
    """Equal rows of the log are two; their ids say nothing (6.5)."""
    data = {"items": [logged(), logged()], "total": 2, "page": 1, "page_size": 100}
    assert (await asked(session, {LOG: yes(data)}, refunded))[0] == 1_400


async def test_without_a_key(session: ClientSession) -> None:
    """What was tried on the site itself has no key: servers leave out its zero."""
    without = {name: value for name, value in flow().items() if name != "token_id"}
    said, _ = await asked(session, {BY_KEY: yes([without, flow()])}, by_key)
    assert [row.key_id for row in said] == [0, flow()["token_id"]]
