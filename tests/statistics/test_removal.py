"""What is left of an entry that is removed."""

import pytest

from custom_components.new_api.const import DOMAIN
from custom_components.new_api.statistics import async_statistics_of
from homeassistant.components.repairs import repairs_flow_manager
from homeassistant.config_entries import ConfigEntry
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.home import Home, Site
from tests.reader import Reader

from .graphs import CLAUDE, CNY, GPT, HOUR, SPENT, START, Graphs, used


async def test_no_recorder(home: Home, site: Site) -> None:
    """A Home Assistant that keeps no statistics is not asked to."""
    entry = await home.add(site, user="wang")
    assert async_statistics_of(home.hass, entry) is None
    await home.hass.config_entries.async_remove(entry.entry_id)
    await home.settle()
    assert not ir.async_get(home.hass).issues


class Offer:
    """The repair that offers to delete what an entry has left."""

    def __init__(self, graphs: Graphs) -> None:
        """Look at the page with the repairs."""
        self._hass = graphs.hass
        self._reader = Reader(graphs.hass)

    def listed(self) -> list[ir.IssueEntry]:
        """Return the offers that a person sees."""
        return [
            issue
            for issue in ir.async_get(self._hass).issues.values()
            if issue.domain == DOMAIN and issue.active and not issue.dismissed_version
        ]

    async def the(self) -> ir.IssueEntry:
        """Return the only one, as a person can read it."""
        (issue,) = self.listed()
        await self._reader.read_issue(issue)
        assert issue.translation_key == "statistics_left"
        assert issue.is_fixable
        assert issue.severity is ir.IssueSeverity.WARNING
        assert issue.translation_placeholders == {"name": "Juhe AI (wang)"}
        assert (issue.learn_more_url or "").endswith("/docs/repairs/statistics_left.md")
        return issue

    async def confirm(self) -> None:
        """Open it, read it and agree."""
        assert await async_setup_component(self._hass, "repairs", {})
        issue = await self.the()
        manager = repairs_flow_manager(self._hass)
        assert manager is not None
        form = await manager.async_init(DOMAIN, context={"issue_id": issue.issue_id})
        form["errors"] = {}
        await self._reader.read_repair(issue, form)
        result = await manager.async_configure(form["flow_id"], {})
        assert result["type"] is FlowResultType.CREATE_ENTRY


async def remove(graphs: Graphs, entry: ConfigEntry | None = None) -> Offer:
    """Remove an entry, and look at what is offered then."""
    await graphs.hass.config_entries.async_remove((entry or graphs.entry).entry_id)
    await graphs.hass.async_block_till_done(wait_background_tasks=True)
    return Offer(graphs)


@pytest.fixture
async def other(graphs: Graphs, home: Home, site: Site) -> Graphs:
    """Give another entry, with statistics and an id that begins in the same way."""
    entry = await home.add(site, key="Homework", entry_id="entry2", statistics=False)
    home.hass.config_entries.async_update_entry(entry, title="Homework")
    other = Graphs(home.hass, entry)
    await other.write(used(1, 5_000))
    return other


async def test_removal_confirmed(graphs: Graphs, other: Graphs) -> None:
    """Who agrees has no statistics of the entry any more, and keeps all others."""
    await graphs.write(used(1, 500_000), used(1, 500_000, model=CLAUDE))
    await graphs.write(used(1, 500_000), unit=CNY)
    offer = await remove(graphs)
    assert len(await graphs.names()) == 9
    await offer.confirm()
    assert offer.listed() == []
    assert set(await graphs.names()) == {
        f"Homework {GPT} spent",
        f"Homework {GPT} requests",
        f"Homework {GPT} tokens",
    }
    assert await other.sums(f"Homework {GPT} spent") == {1: "0.01"}


async def test_removal_ignored(graphs: Graphs, other: Graphs) -> None:
    """Who does not, keeps them, and is not asked again."""
    await graphs.write(used(1, 500_000))
    offer = await remove(graphs)
    issue = await offer.the()
    ir.async_ignore_issue(graphs.hass, DOMAIN, issue.issue_id, ignore=True)
    assert offer.listed() == []
    assert await graphs.sums(SPENT) == {1: "1"}
    await graphs.hass.config_entries.async_reload(other.entry.entry_id)
    assert offer.listed() == []


async def test_removal_of_what_has_none(graphs: Graphs, other: Graphs) -> None:
    """There is nothing to offer where there are no statistics."""
    offer = await remove(graphs)
    assert offer.listed() == []


async def test_added_again(graphs: Graphs, home: Home, site: Site) -> None:
    """The same account begins with statistics of its own."""
    await graphs.write(used(1, 500_000))
    await remove(graphs)
    entry = await home.add(site, user="wang", entry_id="01K9ZZZZZZ0000000000000000")
    home.hass.config_entries.async_update_entry(entry, title="Again")
    again = Graphs(home.hass, entry)
    await again.write(used(2, 250_000), start=START + 2 * HOUR)
    assert await again.sums(f"Again {GPT} spent") == {2: "0.5"}
    assert await graphs.sums(SPENT) == {1: "1"}
