"""What a person has to act on: when a repair is raised, and when it goes."""

from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Final

from yarl import URL

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import CONF_ACCESS_TOKEN, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.singleton import singleton
from homeassistant.loader import async_get_loaded_integration
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, View
from .gateway.address import is_exposed, parse_address
from .gateway.errors import (
    BlockedError,
    CannotConnectError,
    GatewayError,
    InvalidAddressError,
    MovedError,
    RateLimitedError,
    ServerTroubleError,
    UnexpectedReplyError,
)
from .gateway.models import KeyState, KeyStatus, Site
from .gateway.money import Unit

type _Data = dict[str, str | int | float | None]

_ISSUES: HassKey[dict[str, Issues]] = HassKey(f"{DOMAIN}_issues")


class Issue(StrEnum):
    """A situation that a person must act on; its page is `docs/repairs/<it>.md`."""

    ADDRESS_REFUSED = "address_refused"
    BLOCKED = "blocked"
    NO_DIVISOR = "no_divisor"
    OUTDATED = "outdated"
    SITE_MOVED = "site_moved"
    STATISTICS_LEFT = "statistics_left"
    UNENCRYPTED = "unencrypted"


_FIXABLE: Final = frozenset(
    {Issue.SITE_MOVED, Issue.STATISTICS_LEFT, Issue.UNENCRYPTED}
)
# What nothing is broken by.
_HARMLESS: Final = frozenset({Issue.STATISTICS_LEFT, Issue.UNENCRYPTED})

# Failures after which nothing is known that was not known before.
_TELL_NOTHING: Final = (CannotConnectError, RateLimitedError, ServerTroubleError)

# Something on the way may have a bad moment, a firewall a bad hour and a site a bad
# day; in seconds.
_LASTS: Final = {
    Issue.SITE_MOVED: 300.0,
    Issue.BLOCKED: 3600.0,
    Issue.OUTDATED: 86_400.0,
}
_SEVERAL: Final = 3

# Who asks right after a failure is given the same, which is not a second one.
_APART: Final = 60.0


@callback
def async_issues_of(hass: HomeAssistant, entry: ConfigEntry) -> Issues:
    """Return what is known of an entry, also from before it was loaded again."""
    everything = _async_everything(hass)
    known = everything.get(entry.entry_id)
    if known is None or known.about != _about(entry):
        known = everything[entry.entry_id] = Issues(hass, entry)
    return known


@singleton(_ISSUES)
@callback
def _async_everything(hass: HomeAssistant) -> dict[str, Issues]:
    """Return the issues of all entries, from which those go that nobody uses."""
    everything: dict[str, Issues] = {}

    @callback
    def changed(change: ConfigEntryChange, entry: ConfigEntry) -> None:
        is_unused = change is ConfigEntryChange.REMOVED or entry.disabled_by is not None
        if is_unused and (known := everything.pop(entry.entry_id, None)):
            known.async_clear()

    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, changed)
    return everything


@dataclass(slots=True)
class _Streak:
    """A failure that repeats itself; by the monotonic clock, in seconds."""

    since: float
    last: float
    times: int = 1


class Issues:
    """The repairs of one entry.

    An issue is raised as soon as one view asks for it, and goes when all views that
    know have said that it is over. Unloading the entry changes nothing, so that what a
    person chose to ignore stays ignored.
    """

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Start without knowing anything."""
        self.about = _about(entry)
        self._hass = hass
        self._entry = entry
        self._verdicts: dict[tuple[Issue, View], bool] = {}
        self._streaks: dict[tuple[Issue, View], _Streak] = {}
        self._offered = URL()

    @callback
    def async_answered(self, view: View) -> None:
        """Note that a view was read."""
        self._note(view, None)

    @callback
    def async_failed(self, view: View, err: GatewayError) -> None:
        """Note that a view could not be read."""
        self._note(view, err)

    @callback
    def async_site(self, site: Site) -> None:
        """Note what the site says of itself."""
        is_unknown = site.unit == Unit.unknown()
        has_no_divisor = not is_unknown and site.unit.per_raw is None
        self._judge(Issue.OUTDATED, View.SITE, holds=is_unknown)
        self._judge(Issue.NO_DIVISOR, View.SITE, holds=has_no_divisor)

    @callback
    def async_key(self, state: KeyState | None) -> None:
        """Note the state of the configured key; None where there is none."""
        is_refused = state is not None and state.status is KeyStatus.IP_RESTRICTED
        self._judge(Issue.ADDRESS_REFUSED, View.KEYS, holds=is_refused)

    @callback
    def async_clear(self) -> None:
        """Let all issues go, but the one that an entry leaves behind."""
        for issue in Issue:
            if issue is not Issue.STATISTICS_LEFT:
                self._delete(issue)

    def _note(self, view: View, err: GatewayError | None) -> None:
        base = URL(self._entry.data[CONF_URL])
        if view == View.SITE:
            self._judge(Issue.UNENCRYPTED, view, holds=is_exposed(base))
        is_detour = isinstance(err, MovedError) and not err.permanent
        if is_detour or isinstance(err, _TELL_NOTHING):
            return
        if view is View.SITE:
            # Some send only what they do not have to another host (gateway_api.md 1.3).
            offer = _offer(err) if isinstance(err, MovedError) else None
            if offer != self._offered and offer is not None:
                self._streaks.pop((Issue.SITE_MOVED, view), None)
                self._offered = offer
            self._note_lasting(Issue.SITE_MOVED, view, holds=offer is not None)
            holds = isinstance(err, BlockedError)
            self._note_lasting(Issue.BLOCKED, view, holds=holds)
        elif view in (View.ACCOUNT, View.KEYS):
            holds = isinstance(err, UnexpectedReplyError)
            self._note_lasting(Issue.OUTDATED, view, holds=holds)

    def _note_lasting(self, issue: Issue, view: View, *, holds: bool) -> None:
        """Note what is an issue only when it has lasted for a time."""
        if not holds:
            self._streaks.pop((issue, view), None)
            self._judge(issue, view, holds=False)
            return
        now = monotonic()
        streak = self._streaks.setdefault((issue, view), _Streak(now, now))
        if now - streak.last >= _APART:
            streak.last = now
            streak.times += 1
        if now - streak.since > _LASTS[issue] and streak.times >= _SEVERAL:
            self._judge(issue, view, holds=True)

    def _judge(self, issue: Issue, view: View, *, holds: bool) -> None:
        self._verdicts[issue, view] = holds
        if any(h for (each, _), h in self._verdicts.items() if each is issue):
            self._create(issue)
        elif all((issue, each) in self._verdicts for each in self._views_of(issue)):
            self._delete(issue)

    def _views_of(self, issue: Issue) -> list[View]:
        """Return the views without whose word an issue is not over."""
        if issue is Issue.ADDRESS_REFUSED:
            return [View.KEYS]
        if issue is not Issue.OUTDATED:
            return [View.SITE]
        has_account = CONF_ACCESS_TOKEN in self._entry.data
        return [View.SITE, View.KEYS, *([View.ACCOUNT] if has_account else [])]

    def _create(self, issue: Issue) -> None:
        base = URL(self._entry.data[CONF_URL])
        placeholders = {"name": self._entry.title}
        data: _Data | None = None
        if issue in _FIXABLE:
            is_move = issue is Issue.SITE_MOVED
            new = self._offered if is_move else base.with_scheme("https")
            placeholders |= {"old": str(base), "new": str(new)}
            data = {"entry_id": self._entry.entry_id, "url": str(new)}
        _create(self._hass, self._entry, issue, placeholders, data)

    def _delete(self, issue: Issue) -> None:
        ir.async_delete_issue(self._hass, DOMAIN, _id_of(self._entry, issue))


@callback
def async_statistics_left(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Offer to delete the statistics of an entry that was removed.

    The offer ends when Home Assistant does: after the last entry is gone, the next one
    does not load what would carry it out, and would take agreement for all there is to
    do.
    """
    name = entry.title
    data: _Data = {"entry_id": entry.entry_id, "name": name}
    _create(hass, entry, Issue.STATISTICS_LEFT, {"name": name}, data)


def _create(
    hass: HomeAssistant,
    entry: ConfigEntry,
    issue: Issue,
    placeholders: dict[str, str],
    data: _Data | None,
) -> None:
    home = async_get_loaded_integration(hass, DOMAIN).documentation
    ir.async_create_issue(
        hass,
        DOMAIN,
        _id_of(entry, issue),
        data=data,
        is_fixable=issue in _FIXABLE,
        learn_more_url=f"{home}/blob/main/docs/repairs/{issue}.md",
        severity=(
            ir.IssueSeverity.WARNING if issue in _HARMLESS else ir.IssueSeverity.ERROR
        ),
        translation_key=issue,
        translation_placeholders=placeholders,
    )


def _id_of(entry: ConfigEntry, issue: Issue) -> str:
    return f"{issue}_{entry.entry_id}"


def _about(entry: ConfigEntry) -> tuple[str, frozenset[str]]:
    """Return what makes all that was known of an entry worthless when it changes."""
    return entry.data[CONF_URL], frozenset(entry.data)


def _offer(moved: MovedError) -> URL | None:
    """Return the new address of a site, unless nobody should send a secret there."""
    try:
        new = parse_address(moved.location)
    except InvalidAddressError:
        return None
    return None if is_exposed(new) else new
