"""What happens: money comes in, models come and go, a site tells something."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import Balance, Models, NewApiCoordinator, News
from .data import NewApiConfigEntry
from .devices import account_identifier, main_identifier, site_prefix
from .entity import NewApiEntity
from .plain import plain_text

PARALLEL_UPDATES = 0

TOPPED_UP: Final = "topped_up"
MODEL_ADDED: Final = "model_added"
MODEL_REMOVED: Final = "model_removed"
ANNOUNCEMENT: Final = "announcement"
NOTICE: Final = "notice"

type Happened = tuple[str, Mapping[str, Any]]
"""A type of event, and its attributes."""


@dataclass(frozen=True, kw_only=True)
class NewApiEventDescription[DataT](EventEntityDescription):
    """Describe what can happen, and what did with a reading."""

    happened_fn: Callable[[DataT], Iterable[Happened]]


def _income(balance: Balance) -> Iterable[Happened]:
    if (income := balance.income) is None:
        return
    amount, new_balance = map(balance.unit.amount, (income.amount, income.balance))
    yield (
        TOPPED_UP,
        {
            "amount": None if amount is None else float(amount),
            "new_balance": None if new_balance is None else float(new_balance),
            "unit": balance.unit.label,
        },
    )


def _changes(models: Models) -> Iterable[Happened]:
    if models.added:
        yield MODEL_ADDED, {"models": list(models.added)}
    if models.removed:
        yield MODEL_REMOVED, {"models": list(models.removed)}


def _announced(news: News) -> Iterable[Happened]:
    for each in news.announcements:
        yield (
            ANNOUNCEMENT,
            {
                "text": plain_text(each.content),
                "kind": each.kind,
                "published": each.published,
            },
        )
    if news.notice is not None:
        yield NOTICE, {"text": plain_text(news.notice)}


_TOP_UP: Final = NewApiEventDescription[Balance](
    key="top_up",
    translation_key="top_up",
    event_types=[TOPPED_UP],
    happened_fn=_income,
)

_MODELS: Final = NewApiEventDescription[Models](
    key="models",
    translation_key="models",
    event_types=[MODEL_ADDED, MODEL_REMOVED],
    happened_fn=_changes,
)

_NEWS: Final = NewApiEventDescription[News](
    key="news",
    translation_key="news",
    event_types=[ANNOUNCEMENT, NOTICE],
    happened_fn=_announced,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NewApiConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up what tells of the account, its models and the site."""
    data = entry.runtime_data
    prefix, main = site_prefix(entry), main_identifier(entry)
    async_add_entities(
        [
            NewApiEvent(data.models, prefix, _MODELS, device=main),
            NewApiEvent(data.news, prefix, _NEWS, device=main),
        ]
    )
    if data.account is not None:
        balance, identifier = data.account.balance, account_identifier(entry)
        async_add_entities([NewApiEvent(balance, identifier, _TOP_UP)])


class NewApiEvent[DataT](NewApiEntity[DataT, DataT], EventEntity):
    """Tells what happened with a reading, once."""

    entity_description: NewApiEventDescription[DataT]

    def __init__(
        self,
        coordinator: NewApiCoordinator[DataT],
        identifier: str,
        description: NewApiEventDescription[DataT],
        *,
        device: str | None = None,
    ) -> None:
        """Initialize an event entity."""
        super().__init__(
            coordinator, lambda data: data, identifier, description, device=device
        )
        self._last: DataT | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Tell what happened with the reading that is there already."""
        await super().async_added_to_hass()
        self._tell()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if not self._tell():
            super()._handle_coordinator_update()

    @callback
    def _tell(self) -> bool:
        """Tell what is new; each event is a state of its own."""
        data: DataT | None = self.coordinator.data
        if data is None or data is self._last:
            return False
        self._last = data
        happened = list(self.entity_description.happened_fn(data))
        if happened:
            # It may be unavailable still, and nobody looks at what comes after that:
            # so an event of before comes back.
            self.async_write_ha_state()
        for kind, attributes in happened:
            self._trigger_event(kind, dict(attributes))
            self.async_write_ha_state()
        return bool(happened)
