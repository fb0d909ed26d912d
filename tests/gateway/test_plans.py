"""Subscription plans: which of them count, and what is left of them."""

from typing import Any, Final

from aiohttp import ClientSession
import pytest

from custom_components.new_api.gateway.client import Client
from custom_components.new_api.gateway.errors import UnexpectedReplyError
from custom_components.new_api.gateway.models import Family, Site
from custom_components.new_api.gateway.plans import Period, Plan
from tests.gateway.scripted import NO_ENDPOINT, Handler, Reply, Scripted, scripted
from tests.gateway.test_client import NOW, SITES, STATUS, client_of, no, yes

PLANS: Final = "/api/subscription/self"
OFFERED: Final = "/api/subscription/plans"


def subscribed(**more: Any) -> dict[str, Any]:
    """Return a subscription as it stands in a reply."""
    row = {
        "id": 1,
        "user_id": 2,
        "plan_id": 7,
        "amount_total": 10_000_000,
        "amount_used": 2_500_000,
        "start_time": NOW - 86_400,
        "end_time": NOW + 86_400,
        "status": "active",
        "source": "order",
        "last_reset_time": NOW - 3_600,
        "next_reset_time": NOW + 3_600,
    }
    return {"subscription": row | more}


def said(*subscriptions: Any, **more: Any) -> Reply:
    """Return what a site says of an account's plans."""
    return yes(
        {
            "billing_preference": "subscription_first",
            "subscriptions": list(subscriptions),
            "all_subscriptions": [],
        }
        | more
    )


async def plans(
    session: ClientSession,
    reply: Reply,
    offered: Handler = NO_ENDPOINT,
    *,
    site_is_ahead: int = 0,
) -> tuple[tuple[Plan, ...], Scripted]:
    """Ask a site for the plans of account 2; its clock may be ahead of ours."""
    async with scripted(
        {STATUS: SITES[Family.NEW_API], PLANS: reply, OFFERED: offered},
        now=NOW + site_is_ahead,
    ) as gateway:
        client: Client = client_of(session, gateway, account_id=2)
        site: Site = await client.site()
        return (await client.plans(site)).plans, gateway


ACTIVE: Final = Plan(
    id=1,
    plan_id=7,
    title=None,
    total=10_000_000,
    used=2_500_000,
    starts=NOW - 86_400,
    ends=NOW + 86_400,
    last_reset=NOW - 3_600,
    next_reset=NOW + 3_600,
    pays_first=True,
    may_pay=True,
    lets_wallet_pay=True,
    is_active=True,
)


async def test_title(session: ClientSession) -> None:
    """What a plan is called stands among those for sale (6.8)."""
    offered = yes(
        [
            {"plan": {"id": 6, "title": "Other"}},
            {"plan": {"id": 7, "title": " Coding ", "price_amount": 29}},
        ]
    )
    (plan,), _ = await plans(session, said(subscribed()), offered)
    assert plan.title == "Coding"
    assert plan.remaining == 7_500_000


@pytest.mark.parametrize(
    "offered",
    [
        NO_ENDPOINT,
        no("payment compliance"),
        Reply(502, b"", None),
        Reply.html(),
        yes(None),
        yes([]),
        yes({"plan": {"id": 7, "title": "Coding"}}),
        yes([{"id": 7, "title": "Coding"}]),
        yes([{"plan": {"id": "7", "title": "Coding"}}]),
        yes([{"plan": {"id": 7, "title": ["Coding"]}}]),
        yes([{"plan": {"id": 7, "title": ""}}]),
        yes([{"plan": {"id": 8, "title": "Coding"}}]),
    ],
)
async def test_no_title(session: ClientSession, offered: Reply) -> None:
    """A plan that is not for sale any more is still a plan."""
    assert (await plans(session, said(subscribed()), offered))[0] == (ACTIVE,)


@pytest.mark.parametrize(
    ("preference", "pays_first"),
    [
        ("subscription_first", True),
        ("subscription_only", True),
        ("wallet_first", False),
        ("wallet_only", False),
        (None, True),
    ],
)
async def test_who_pays_first(
    session: ClientSession, preference: str | None, pays_first: bool
) -> None:
    """The account says whether its plans pay before its wallet."""
    reply = said(subscribed(), billing_preference=preference)
    (plan,), _ = await plans(session, reply)
    assert plan.pays_first is pays_first


@pytest.mark.parametrize(
    ("preference", "wallet_pays"),
    [
        ("subscription_first", True),
        ("subscription_only", False),
        ("wallet_first", True),
        ("wallet_only", True),
        (None, True),
    ],
)
@pytest.mark.parametrize("rows", [(), (subscribed(),)], ids=["none", "one"])
async def test_whether_the_wallet_pays(
    session: ClientSession,
    preference: str | None,
    wallet_pays: bool,
    rows: tuple[Any, ...],
) -> None:
    """The account says whether its wallet pays at all, with and without a plan."""
    reply = said(*rows, billing_preference=preference)
    async with scripted(
        {STATUS: SITES[Family.NEW_API], PLANS: reply, OFFERED: NO_ENDPOINT}, now=NOW
    ) as gateway:
        client = client_of(session, gateway, account_id=2)
        found = await client.plans(await client.site())
    assert found.wallet_pays is wallet_pays


@pytest.mark.parametrize(
    ("more", "lets_wallet_pay"),
    [
        ({"allow_wallet_overflow": False}, False),
        ({"allow_wallet_overflow": True}, True),
        # Before rc.12, where the wallet always paid.
        ({}, True),
        ({"allow_wallet_overflow": None}, True),
    ],
)
async def test_strict(
    session: ClientSession, more: dict[str, Any], lets_wallet_pay: bool
) -> None:
    """A plan says whether the wallet may pay what it does not."""
    (plan,), _ = await plans(session, said(subscribed(**more)))
    assert plan.lets_wallet_pay is lets_wallet_pay


@pytest.mark.parametrize(
    ("told", "period", "seconds"),
    [
        ({"quota_reset_period": "never"}, Period.NEVER, None),
        ({"quota_reset_period": "daily"}, Period.DAILY, None),
        ({"quota_reset_period": "weekly"}, Period.WEEKLY, None),
        (
            {"quota_reset_period": "monthly", "quota_reset_custom_seconds": 0},
            Period.MONTHLY,
            None,
        ),
        (
            {"quota_reset_period": "custom", "quota_reset_custom_seconds": 18_000},
            Period.CUSTOM,
            18_000,
        ),
        (
            {"quota_reset_period": "custom", "quota_reset_custom_seconds": 0},
            Period.CUSTOM,
            None,
        ),
        ({"quota_reset_period": "custom"}, Period.CUSTOM, None),
        ({"quota_reset_period": "fortnightly"}, None, None),
        ({"quota_reset_period": 7}, None, None),
        ({"quota_reset_period": None}, None, None),
        ({}, None, None),
    ],
)
async def test_period(
    session: ClientSession,
    told: dict[str, Any],
    period: Period | None,
    seconds: int | None,
) -> None:
    """How often a plan is reset stands among those for sale (6.8)."""
    offered = yes([{"plan": {"id": 7, "title": "Coding", **told}}])
    (plan,), _ = await plans(session, said(subscribed()), offered)
    assert (plan.title, plan.period, plan.period_seconds) == ("Coding", period, seconds)


async def test_unlimited(session: ClientSession) -> None:
    """0 in all is unlimited, and 0 for the next reset is none (trap 43)."""
    reply = said(subscribed(amount_total=0, next_reset_time=0, last_reset_time=0))
    (plan,), _ = await plans(session, reply)
    assert (plan.total, plan.remaining) == (None, None)
    assert (plan.last_reset, plan.next_reset) == (None, None)


async def test_more_used_than_there_was(session: ClientSession) -> None:
    """The last request may cost more than was left."""
    (plan,), _ = await plans(session, said(subscribed(amount_used=10_000_001)))
    assert plan.remaining == -1


async def test_only_active_ones(session: ClientSession) -> None:
    """The first to end, which is used first, is the first; what is over is none."""
    found, _ = await plans(
        session,
        said(
            subscribed(id=5, end_time=NOW + 9),
            subscribed(id=4, end_time=NOW + 1),
            subscribed(id=3, end_time=NOW),
            subscribed(id=2, status="expired"),
            subscribed(id=1, status="cancelled"),
        ),
    )
    assert [plan.id for plan in found] == [4, 5]


async def test_over_by_the_clock_of_the_site(session: ClientSession) -> None:
    """It is the site that lets a plan end."""
    found, gateway = await plans(session, said(subscribed()), site_is_ahead=86_401)
    assert found == ()
    assert gateway.paths == [STATUS, PLANS]


@pytest.mark.parametrize(
    "reply",
    [
        yes(None),
        yes([]),
        yes({"subscriptions": {}}),
        yes({"subscriptions": [None]}),
        said({"id": 1}),
        said({"subscription": None}),
        said(subscribed(), subscribed(user_id=3)),
        said(subscribed(user_id=None)),
        said(subscribed(id="1")),
        said(subscribed(plan_id=None)),
        said(subscribed(amount_total=-1)),
        said(subscribed(amount_used=None)),
        said(subscribed(end_time=None)),
        said(subscribed(start_time="today")),
        said(subscribed(next_reset_time=None)),
        said(subscribed(status=1)),
        said(subscribed(allow_wallet_overflow=0)),
        said(subscribed(), subscribed(id=2, allow_wallet_overflow="false")),
        said(subscribed(), billing_preference=1),
    ],
)
async def test_what_cannot_be_believed(session: ClientSession, reply: Reply) -> None:
    """One wrong field, or one plan of somebody else, and none of them is used."""
    with pytest.raises(UnexpectedReplyError):
        await plans(session, reply)


async def test_no_list(session: ClientSession) -> None:
    """Go writes an empty list as null, too."""
    assert (await plans(session, yes({"subscriptions": None})))[0] == ()
