"""The first page of a Home Assistant to try things in."""

from collections.abc import Mapping, Sequence
from typing import Final

from .client import Client

_PATH: Final = "new-api"
_DAYS: Final = 30


async def show_account(
    client: Client,
    title: str,
    figures: Mapping[str, str],
    details: Mapping[str, str],
    spending: Sequence[str],
) -> None:
    """Make a dashboard of one account, and make it the first page.

    `figures` and `details` are entity ids by name; `spending` are the statistics of
    what each model cost.
    """
    await client.command(
        "lovelace/dashboards/create",
        url_path=_PATH,
        title="New API",
        icon="mdi:wallet-outline",
    )
    cards = [_figures(title, figures), _details(details), _history(spending)]
    await client.command(
        "lovelace/config/save",
        url_path=_PATH,
        config={"views": [{"title": "New API", "cards": cards}]},
    )
    await client.command(
        "frontend/set_system_data", key="core", value={"default_panel": _PATH}
    )


def _figures(title: str, figures: Mapping[str, str]) -> dict[str, object]:
    return {"type": "entities", "title": title, "entities": _named(figures)}


def _details(details: Mapping[str, str]) -> dict[str, object]:
    return {"type": "glance", "columns": 3, "entities": _named(details)}


def _history(spending: Sequence[str]) -> dict[str, object]:
    return {
        "type": "statistics-graph",
        "title": "What ate it",
        "chart_type": "bar-stack",
        "period": "day",
        "days_to_show": _DAYS,
        "stat_types": ["change"],
        "entities": list(spending),
    }


def _named(entity_ids: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"entity": each, "name": name} for name, each in entity_ids.items()]
