"""What an entry has to remember over a restart: readings, and what was told already."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf
from typing import Any, Final

import probatio

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import UnsupportedStorageVersionError
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .gaps import Gaps, Source
from .history import History
from .identity import account_id_of
from .income import IncomeWatch
from .ledger import Ledger
from .periods import hour_of, now

_MEMORIES: HassKey[dict[str, Memory]] = HassKey(f"{DOMAIN}_memories")

_VERSION: Final = 1

# In seconds. Readings come all the time, and few of them are worth a write of their
# own; what was told must not be told again, though the power fails at that moment.
_SAVE_READINGS: Final = 900.0
_SAVE_EVENTS: Final = 0.0

# What is older than any period that is shown; in seconds.
_OLDEST: Final = 40 * 24 * 3600

_TEXTS: Final = [str]
_SCHEMA: Final = probatio.Schema(
    {
        probatio.Optional("ledgers", default=dict): {str: dict},
        probatio.Optional("income"): dict,
        probatio.Optional("site"): str,
        probatio.Optional("account"): str,
        probatio.Optional("news", default=dict): {str: _TEXTS},
        probatio.Optional("models", default=dict): {str: _TEXTS},
        probatio.Optional("history"): dict,
        probatio.Optional("write_from", default=0): int,
        probatio.Optional("written_until", default=0): int,
        probatio.Optional("logged"): {
            probatio.Required("day"): int,
            probatio.Required("used"): int,
            probatio.Required("amount"): int,
            probatio.Required("ahead"): int,
            probatio.Required("is_silent"): bool,
        },
        probatio.Optional("most_logged", default=dict): {str: int},
        probatio.Optional("days_logged", default=dict): {str: int},
        probatio.Optional("own"): probatio.ExactSequence([str, int]),
        probatio.Optional("told", default=dict): {str: {str: [int]}},
        probatio.Optional("gaps", default=dict): {str: [[int]]},
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a site said was spent in a period, while it told all.

    `counter` is what was read of it at that time.
    """

    amount: int
    counter: int


@dataclass(frozen=True, slots=True)
class Logged:
    """What an account had used in all, and what its log said of a day; raw quota.

    `day` is its midnight in Unix seconds. The log was by `ahead` before what the
    account showed. `is_silent` tells that it did not tell all.
    """

    day: int
    used: int
    amount: int
    ahead: int
    is_silent: bool


class Memory:
    """Keeps what an entry knows that nobody could tell it again.

    `news` are the digests of what the site has told, by the kind of it; a kind is there
    once it was read. `models` are the ids of the models that are known, by whose they
    are. The statistics of Home Assistant have the `history` until `written_until`; what
    they have from before `write_from` is another account's.
    """

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Start without any memory."""
        self._store = Store[dict[str, Any]](hass, _VERSION, f"{DOMAIN}.{entry_id}")
        self._is_save_due = False
        self.is_left_alone = False
        """Whether a newer version has written what is kept, which stays as it is."""
        self._forget()

    def _forget(self) -> None:
        self._site: str | None = None
        self._account: str | None = None
        self._ledgers: dict[str, Ledger] = {}
        self.income = IncomeWatch()
        self.news: dict[str, list[str]] = {}
        self.models: dict[str, frozenset[str]] = {}
        self.history = History()
        self.write_from = 0
        self.written_until = 0
        self.logged: Logged | None = None
        """What the log said when it was last compared with the account."""
        self.most_logged: dict[int, int] = {}
        """The most that it has said of periods, by when they began (Unix seconds)."""
        self.days_logged: dict[int, int] = {}
        """The same of days alone, while they were the last one."""
        # By the names of ledgers and by when the periods began (Unix seconds).
        self._told: dict[str, dict[int, Told]] = {}
        self._gaps: dict[Source, Gaps] = {}
        self._own: tuple[str, int] | None = None
        self.is_logged: bool | None = None
        """Whether anything that was spent was ever logged, None until that is known."""
        self.is_log_behind = False
        """Whether it seems not to tell all, and with it the site's statistics."""

    async def async_load(self) -> None:
        """Load what was kept; what is damaged is forgotten as a whole."""
        try:
            kept = await self._store.async_load()
        except UnsupportedStorageVersionError:
            # Who goes back to the newer version finds everything there.
            self.is_left_alone = True
            return
        if kept is None:
            return
        try:
            self._remember(_SCHEMA(kept))
        except probatio.Invalid, ValueError:
            self._forget()

    def _remember(self, kept: dict[str, Any]) -> None:
        self._site, self._account = kept.get("site"), kept.get("account")
        self._ledgers = {
            name: Ledger.from_dict(ledger) for name, ledger in kept["ledgers"].items()
        }
        if "income" in kept:
            self.income = IncomeWatch.from_dict(kept["income"])
        self.news = kept["news"]
        self.models = {
            whose: frozenset(models) for whose, models in kept["models"].items()
        }
        if "history" in kept:
            self.history = History.from_dict(kept["history"])
        self.write_from = kept["write_from"]
        self.written_until = kept["written_until"]
        if "logged" in kept:
            self.logged = Logged(**kept["logged"])
        self.most_logged = _by_time(kept["most_logged"])
        self.days_logged = _by_time(kept["days_logged"])
        self._told = {
            name: {
                int(begins): Told(amount, counter)
                for begins, (amount, counter) in told.items()
            }
            for name, told in kept["told"].items()
        }
        self._gaps = {
            Source(source): Gaps.from_list(gaps)
            for source, gaps in kept["gaps"].items()
        }
        if "own" in kept:
            ledger, since = kept["own"]
            self._own = ledger, int(since)

    @callback
    def async_is_of(self, site: str, account: str | None) -> None:
        """Forget what is of another site, and of another account on it.

        A key keeps its own ledger.
        """
        if self._site != site:
            # Of an account that has moved, nobody knows what has moved with it.
            self.news, self.models, self.income = {}, {}, IncomeWatch()
            self._site = site
        if account is None or self._account == account:
            return
        if self._account is not None:
            own = {name for name in self._ledgers if not _is_of_account(name)}
            self._ledgers = {name: self._ledgers[name] for name in own}
            self._told, self._gaps, self.logged = {}, {}, None
            self.most_logged, self.days_logged = {}, {}
            self.is_logged, self.is_log_behind = None, False
            self.income, self.history = IncomeWatch(), History()
            self.models.pop("account", None)
            self.written_until = 0
            self.write_from = hour_of(now())
        self._account = account
        self.async_changed(was_told=True)

    def ledger(self, name: str) -> Ledger:
        """Return the ledger of a counter."""
        return self._ledgers.setdefault(name, Ledger())

    @callback
    def async_forget_ledger(self, name: str) -> None:
        """Forget what a counter was, since it does not count any more."""
        self._ledgers.pop(name, None)
        self._told.pop(name, None)

    @callback
    def async_note_told(
        self, name: str, counter: int, amounts: Mapping[int, int]
    ) -> None:
        """Note what a site says was spent, so that readings can go on from there.

        `counter` is what was read of it at that time, `amounts` is by when the periods
        began.
        """
        self._told[name] = {
            begins: Told(amount, counter) for begins, amount in amounts.items()
        }
        self.async_changed()

    @callback
    def async_note_logged(self, logged: Logged) -> None:
        """Note what the log says, to compare it with the account the next time."""
        self.logged = logged
        self.async_changed()

    def told(self, name: str, begins: int) -> Told | None:
        """Return what a site said last was spent since then, if it ever did."""
        return self._told.get(name, {}).get(begins)

    @callback
    def async_note_gap(self, source: Source, since: int, until: int) -> None:
        """Note that a source of spending did not tell all in a time, Unix seconds."""
        self._gaps.setdefault(source, Gaps()).add(since, until)
        self.async_changed()

    def gaps(self, source: Source) -> Gaps:
        """Return the times in which a source of spending did not tell all."""
        return self._gaps.get(source, Gaps())

    def has_gap(self, source: Source, since: float, until: float = inf) -> bool:
        """Tell whether a source has not told all of a time, in Unix seconds."""
        return self.gaps(source).overlap(since, until)

    @callback
    def async_note_own(self, ledger: str) -> None:
        """Note which ledger is that of the configured key."""
        if self._own is None or self._own[0] != ledger:
            self._own = ledger, 0 if self._own is None else int(now())
            self.async_changed()

    @property
    def own_since(self) -> int:
        """Return since when another key is configured, in Unix seconds; 0 for never."""
        return 0 if self._own is None else self._own[1]

    @callback
    def async_changed(self, *, was_told: bool = False) -> None:
        """Keep what has changed, at once if something was told to a person."""
        if self.is_left_alone or (self._is_save_due and not was_told):
            # Putting it off with every reading would put it off for good.
            return
        self._is_save_due = True
        self._store.async_delay_save(
            self._to_store, _SAVE_EVENTS if was_told else _SAVE_READINGS
        )

    async def async_remove(self) -> None:
        """Forget everything for good."""
        await self._store.async_remove()

    @callback
    def _to_store(self) -> dict[str, Any]:
        self._is_save_due = False
        for name, ledger in [*self._ledgers.items()]:
            # Of a key that was deleted.
            if ledger.is_forgotten(now()):
                del self._ledgers[name]
                self._told.pop(name, None)
        kept: dict[str, Any] = {
            "ledgers": {
                name: ledger.as_dict() for name, ledger in self._ledgers.items()
            },
            "income": self.income.as_dict(),
            "news": self.news,
            "models": {whose: sorted(models) for whose, models in self.models.items()},
            "history": self.history.as_dict(),
            "write_from": self.write_from,
            "written_until": self.written_until,
            "most_logged": _lately(self.most_logged),
            "days_logged": _lately(self.days_logged),
            "told": {
                name: {
                    str(begins): [each.amount, each.counter]
                    for begins, each in told.items()
                }
                for name, told in self._told.items()
            },
            "gaps": {
                source.value: gaps.as_list() for source, gaps in self._gaps.items()
            },
        }
        optional = {
            "site": self._site,
            "account": self._account,
            "logged": None if self.logged is None else asdict(self.logged),
            "own": None if self._own is None else list(self._own),
        }
        return kept | {
            name: each for name, each in optional.items() if each is not None
        }


def _by_time(kept: Mapping[str, int]) -> dict[int, int]:
    return {int(begins): quota for begins, quota in kept.items()}


def _lately(logged: Mapping[int, int]) -> dict[str, int]:
    """Return what was logged of periods that are not too old, as JSON can keep it."""
    oldest = now() - _OLDEST
    return {str(begins): quota for begins, quota in logged.items() if begins >= oldest}


def _is_of_account(ledger: str) -> bool:
    """Tell whether a ledger is of the account, or of a key by its id there."""
    return ledger in ("account", "requests") or ledger.removeprefix("key_").isdecimal()


async def async_memory_of(hass: HomeAssistant, entry: ConfigEntry) -> Memory:
    """Return the memory of an entry, which outlives a reload."""
    memories = hass.data.setdefault(_MEMORIES, {})
    if entry.entry_id not in memories:
        memory = Memory(hass, entry.entry_id)
        await memory.async_load()
        if memory.is_left_alone:
            LOGGER.warning(
                "What is remembered of %s was written by a newer version of this"
                " integration and is left alone, so nothing new is remembered",
                entry.title,
            )
        memories[entry.entry_id] = memory
    memory = memories[entry.entry_id]
    account = account_id_of(entry)
    memory.async_is_of(entry.data[CONF_URL], None if account is None else str(account))
    return memory


async def async_forget(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget an entry that was removed."""
    memory = hass.data.get(_MEMORIES, {}).pop(entry.entry_id, None)
    await (memory or Memory(hass, entry.entry_id)).async_remove()
