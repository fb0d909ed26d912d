"""An entry, its site, and what was wrong with what it showed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.util import dt as dt_util
from tests.home import Site, household
from tests.simulator import Gateway, Group, Model, Monitor, Offer, Period

from .columns import ACCOUNT, ALONE, KEY, PLAN, Column, Figure
from .faults import Row
from .truth import Between, Value, truth

WARNINGS: Final = {
    "unit": "USD",
    "low_balance": 1,
    "low_balance_days": 1,
    "low_key": 1,
    "low_key_days": 1,
    "expires_soon": 7,
}
"""Warnings that would be false alarms: enough is left of everything."""

_HOUR: Final = 3_600
_DAY: Final = 24 * _HOUR
_PAST: Final = 10
"""For so many days, always the same was used."""


def lived_in(name: str) -> Gateway:
    """Return the gateway of a household that has been there for some time."""
    gateway = household()
    gateway.configure(
        system_name=name,
        check_in=True,
        notice="Everything works.",
        announcements=({"content": "Hello", "publishDate": "2026-11-01T00:00:00Z"},),
    )
    world, wang = gateway.world, gateway.world.user("wang")
    for hours in range(6, 24 * _PAST, 6):
        at = world.now - hours * _HOUR
        gateway.spend("Claude Code", 375_000, at=at)
    world.groups["default"] = Group("everybody", 0.8)
    world.monitors.append(Monitor(category="Services", name="Relay"))
    world.offers.append(Offer(id=7, title=PLAN, total=50_000_000, reset=Period.MONTHLY))
    gateway.subscribe("wang", world.offers[0])
    # So that all that is spent changes the balance, too.
    wang.billing_preference = "wallet_first"
    world.order("wang", 10)
    wang.aff_quota = 750_000
    return gateway


@dataclass(frozen=True, slots=True)
class Moment:
    """What could rightly be said from some time on, in Unix seconds."""

    since: float
    figures: Mapping[Figure, tuple[Value, ...]]


@dataclass(slots=True)
class House:
    """An entry, its site, and what was wrong with what it showed."""

    column: Column
    site: Site
    entry: ConfigEntry
    since: float
    """When it was set up, in Unix seconds."""
    is_counting: bool
    """Whether there is a time in which the site does not say what was spent."""
    spent: int = 0
    seen: list[str] = field(default_factory=list)
    """What a person saw, reading by reading."""
    started: str = ""
    """What a person saw after a start."""
    problems: list[str] = field(default_factory=list)
    _moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Remember what was true in the beginning."""
        self._moments.append(self._now())

    def names(self) -> Mapping[str, tuple[str, str]]:
        """Return what devices are called in figures and by people, by identifier."""
        own = f"{self.entry.entry_id}_key"
        if not self.column.has_account:
            return {own: (ALONE, self.entry.title)}
        world, wang = self.site.gateway.world, self.site.user("wang")
        keys = world.keys_of(wang)
        (plan,) = (each for each in world.subscriptions if each.user_id == wang.id)
        return {
            self.entry.entry_id: (ACCOUNT, self.entry.title),
            own: (KEY, KEY),
            f"{self.entry.entry_id}_plan_{plan.id}": (PLAN, PLAN),
            **{f"{own}_{key.id}": (key.name, key.name) for key in keys},
        }

    @property
    def may_be_retried(self) -> bool:
        """Whether nothing is left that could be shown after a start."""
        column = self.column
        return not column.has_account or column.title in ("status", "all")

    def moments(self) -> Sequence[Moment]:
        """Return what was true and what is now, the oldest first."""
        return (*self._moments, self._now())

    def _now(self) -> Moment:
        has_account = self.column.has_account
        counted = truth(self.site, has_account=has_account, counted_since=self.since)
        told = truth(self.site, has_account=has_account) if has_account else counted
        now = dt_util.utcnow().timestamp()
        figures: dict[Figure, tuple[Value, ...]] = {
            figure: (value, counted[figure]) if self.is_counting else (value,)
            for figure, value in told.items()
        }
        if now - self.since > _DAY:
            # From then on there is enough to go by.
            for figure in figures:
                if figure[1] in ("Runs out", "Days left"):
                    figures[figure] += (Between(Decimal(0), Decimal("Infinity")),)
        return Moment(now, figures)

    def spend(self) -> None:
        """Let all figures change, so that old ones are wrong."""
        gateway = self.site.gateway
        # A day may have begun since.
        self._moments.append(self._now())
        self.spent += 1
        gateway.spend(KEY, 7_500 + 500 * self.spent, model="claude-haiku-4-5")
        gateway.spend("Claude Code", 2_500 + 500 * self.spent)
        gateway.world.subscriptions[0].amount_used += 1_000 * self.spent
        self._moments.append(self._now())

    def add_model(self) -> None:
        """Let the models change too."""
        models = self.site.gateway.world.models
        models.append(Model(name=f"model-{len(models)}"))

    def plant(self, row: Row) -> None:
        """Let the site fail as it can."""
        faults = [
            (path, fault)
            for path in self.column.paths
            if (fault := row.make(self.site, path)) is not None
        ]
        for path, fault in faults:
            self.site.gateway.faults.add(path, fault)

    def word(self) -> str:
        """Return what a person saw, in few words."""
        words = [word for word, _ in groupby(self.seen) if word]
        during = " → ".join(words)
        if not self.started or words == [self.started]:
            return during
        return f"{during}; {self.started}"


def values(
    figure: Figure, moments: Sequence[Moment], oldest: timedelta
) -> Sequence[Value]:
    """Return what a figure can rightly be in the last of some moments.

    It was read not longer ago than `oldest`.
    """
    since = moments[-1].since - oldest.total_seconds()
    found: list[Value] = []
    for moment in reversed(moments):
        found += moment.figures[figure]
        if moment.since < since:
            break
    return found
