"""What entities show is held against the books, by their ids and in their units."""

from zoneinfo import ZoneInfo

from tests.home import Home, household
from tests.household import GPT, KEY, spend

from .claims import Claims
from .comparison import Comparison
from .figures import compare
from .ledger import Ledger


async def test_wrong_in_the_home(home: Home) -> None:
    """A wrong sum, money that never came in and a model told twice are noticed."""
    gateway = household()
    gateway.configure(quota_display_type="CNY")
    site = await home.serve(gateway)
    entry = await home.add(site, key=KEY, user="wang", entry_id="account")
    ledger = Ledger(gateway.world, ZoneInfo(home.hass.config.time_zone))
    comparison = Comparison(ledger)
    claims = Claims(home, [entry])
    watched = {entry.entry_id: site.key(KEY).id}
    spend(site, "1.50")
    await home.poll(4)
    compare(claims, ledger, comparison, watched)
    assert comparison.differences == []
    assert comparison.made["exact"] > 5
    assert comparison.made["whole"] + comparison.made["in part"] > 5

    states = home.hass.states
    states.async_set(
        "sensor.juhe_ai_wang_spent_today",
        "20",
        home.attributes("sensor.juhe_ai_wang_spent_today"),
    )
    for second in (1, 2):
        states.async_set(
            "event.juhe_ai_wang_models",
            f"2030-01-01T00:00:0{second}.000+00:00",
            {"event_type": "model_added", "models": [GPT]},
        )
    states.async_set(
        "event.juhe_ai_wang_top_up",
        "2030-01-01T00:00:00.000+00:00",
        {"event_type": "topped_up", "amount": 7.3, "unit": "CNY", "new_balance": 1},
    )
    await home.settle()
    compare(claims, ledger, comparison, watched)
    spent, top_up, model = comparison.differences
    assert spent.startswith("account_spent_today: shown 1369863")
    assert top_up == "top-ups: told [500000], right []"
    assert model.endswith("told ('model_added', 'gpt-5-mini'), 2 times too often")
