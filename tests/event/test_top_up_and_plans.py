"""What a plan pays for is no income."""

from tests.home import Home, Site
from tests.household import DAY, DOLLAR, KEY, MINUTE, plan, subscribe
from tests.restarts import restart
from tests.simulator import Period

from .money import BALANCE_AT_FIRST, CERTAIN, came_in, watched


async def test_plan_pays(home: Home, site: Site) -> None:
    """What a plan pays for is used without being taken off, and is no income."""
    subscribe(site.gateway)
    told = await watched(home, site)
    for _ in range(3):
        site.gateway.spend(KEY, 1 * DOLLAR)
        await home.poll(CERTAIN)
    assert told.all == []


async def test_new_plan_pays(home: Home, site: Site) -> None:
    """Nor is what a plan pays for that nobody has looked at yet."""
    told = await watched(home, site)
    subscribe(site.gateway)
    site.gateway.spend(KEY, 1 * DOLLAR)
    await home.poll(3 * CERTAIN)
    assert told.all == []


async def test_plan_pays_when_the_wallet_is_empty(home: Home, site: Site) -> None:
    """Nor is what a plan pays for since the balance does not suffice any more."""
    site.user("wang").billing_preference = "wallet_first"
    site.user("wang").quota = 1_000
    subscribe(site.gateway)
    told = await watched(home, site)
    site.gateway.spend(KEY, 1 * DOLLAR)
    await home.poll(3 * CERTAIN)
    assert told.all == []


async def test_plan_begins_anew(home: Home, site: Site) -> None:
    """Nor is what a plan pays for that was used up and has just begun anew."""
    subscribe(site.gateway, total=2 * DOLLAR, reset=Period.CUSTOM, reset_seconds=3_600)
    site.gateway.spend(KEY, 2 * DOLLAR)
    told = await watched(home, site)
    begun_anew = site.gateway.world.subscriptions[0].next_reset_time
    while site.gateway.world.now < begun_anew:
        await home.pass_time(MINUTE)
    site.gateway.spend(KEY, 1 * DOLLAR)
    await home.poll(6)
    assert told.all == []


async def test_plan_bought_with_the_balance(home: Home, site: Site) -> None:
    """A plan that is paid from the balance is no income, and pays from then on."""
    told = await watched(home, site)
    offer = plan()
    site.gateway.world.offers = [offer]
    site.gateway.subscribe("wang", offer, from_wallet=20 * DOLLAR)
    for _ in range(20):
        site.gateway.spend(KEY, 10_000)
        await home.poll()
    assert told.all == []


async def test_payment_next_to_a_plan(home: Home, site: Site) -> None:
    """Money that comes in is told where a plan pays for what is used."""
    subscribe(site.gateway)
    told = await watched(home, site)
    site.gateway.spend(KEY, 1 * DOLLAR)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10)]


async def test_payment_next_to_a_plan_that_may_not_pay(home: Home, site: Site) -> None:
    """A plan that the person has switched off changes nothing."""
    site.user("wang").billing_preference = "wallet_only"
    subscribe(site.gateway)
    told = await watched(home, site)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    site.gateway.spend(KEY, 3 * DOLLAR)
    await home.poll(CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 7)]


async def test_payment_next_to_a_plan_that_pays_last(home: Home, site: Site) -> None:
    """Where the balance or a plan has paid, nobody knows how much came in."""
    site.user("wang").billing_preference = "wallet_first"
    subscribe(site.gateway)
    told = await watched(home, site)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    site.gateway.spend(KEY, 3 * DOLLAR)
    await home.poll(CERTAIN)
    assert told.all == [{**came_in(0, BALANCE_AT_FIRST + 7), "amount": None}]


async def test_plan_used_up_at_once(home: Home, site: Site) -> None:
    """Nor is what a plan paid for that was used up before anybody looked."""
    told = await watched(home, site)
    await home.pass_hour()
    subscribe(site.gateway, total=5 * DOLLAR)
    site.gateway.spend(KEY, 5 * DOLLAR)
    await home.poll(3 * CERTAIN)
    assert told.all == []


async def test_plan_came_and_went_while_nobody_looked(home: Home, site: Site) -> None:
    """Nor is what a plan paid for that has ended meanwhile."""
    told = await watched(home, site)
    (entry,) = home.entries
    await home.hass.config_entries.async_unload(entry.entry_id)
    subscribe(site.gateway, days=1)
    site.gateway.spend(KEY, 1 * DOLLAR)
    await home.pass_time(2 * DAY)
    await restart(home, entry)
    await home.poll(4 * CERTAIN)
    assert told.all == []


async def test_payment_while_a_plan_came_and_went(home: Home, site: Site) -> None:
    """Money that came in besides is told, though nobody knows how much it was."""
    told = await watched(home, site)
    (entry,) = home.entries
    await home.hass.config_entries.async_unload(entry.entry_id)
    subscribe(site.gateway, days=1)
    site.gateway.spend(KEY, 1 * DOLLAR)
    site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
    await home.pass_time(2 * DAY)
    await restart(home, entry)
    await home.poll(4 * CERTAIN)
    assert told.all == [came_in(10, BALANCE_AT_FIRST + 10) | {"amount": None}]


async def test_payment_next_to_an_overdrawn_plan(home: Home, site: Site) -> None:
    """A plan of which too much was used pays for nothing, and hides no payment."""
    subscription = subscribe(site.gateway, total=5 * DOLLAR)
    site.gateway.spend(KEY, 4 * DOLLAR)
    told = await watched(home, site)
    subscription.amount_used = 5 * DOLLAR + 1_000
    await home.poll(2 * CERTAIN)
    for turn in range(18):
        site.gateway.spend(KEY, DOLLAR // 2)
        if turn == 6:
            site.gateway.world.top_up("wang", 10 * DOLLAR, dollars=10)
        await home.poll()
    assert [each["amount"] for each in told.all] == [10.0]


async def test_plan_ends_before_its_request(home: Home, site: Site) -> None:
    """What a plan has begun to pay, and was used when it had ended, is no income."""
    subscribe(site.gateway, days=1)
    told = await watched(home, site)
    await home.pass_time(DAY - 80 * MINUTE)
    await home.poll(2)
    reservation = site.gateway.reserve(KEY, 2 * DOLLAR)
    while site.gateway.world.subscriptions[0].is_active(site.gateway.world.now):
        await home.poll()
    await home.poll(4)
    site.gateway.settle(reservation, DOLLAR)
    await home.poll(20)
    assert told.all == []
