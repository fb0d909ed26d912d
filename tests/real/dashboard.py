"""The first page of a Home Assistant to try things in."""

from typing import Final

from .client import Client

_PATH: Final = "new-api"


async def show_account(client: Client, title: str, figures: dict[str, str]) -> None:
    """Make a dashboard with the figures of one account, and make it the first page."""
    await client.command(
        "lovelace/dashboards/create",
        url_path=_PATH,
        title="New API",
        icon="mdi:wallet-outline",
    )
    await client.command(
        "lovelace/config/save",
        url_path=_PATH,
        config={"views": [{"title": "New API", "cards": [_card(title, figures)]}]},
    )
    await client.command(
        "frontend/set_system_data", key="core", value={"default_panel": _PATH}
    )


def _card(title: str, figures: dict[str, str]) -> dict[str, object]:
    return {
        "type": "entities",
        "title": title,
        "entities": [
            {"entity": entity_id, "name": name} for name, entity_id in figures.items()
        ],
    }
