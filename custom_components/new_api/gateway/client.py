"""The client of one site: one method per question, not per URL.

Every figure is raw quota. Every method raises a GatewayError where the site gives no
answer that can be relied on.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from http import HTTPStatus
from time import time
from typing import Any, Final

from aiohttp import ClientSession
from yarl import URL

from .account_asker import ACCOUNT, AccountAsker
from .asker import Asker
from .budget import Bucket, Budget
from .concurrency import QUESTION_TIMEOUT, within
from .credentials import Credentials
from .errors import (
    EmptyReplyError,
    EndpointMissingError,
    GatewayError,
    NotAGatewayError,
    Refusal,
    RefusedError,
    ServerTroubleError,
    UnexpectedReplyError,
)
from .families import MODELS_BY_GROUP, dialect_of
from .fields import check_owner, read_name, read_rows
from .journal import Journal
from .lone_key import SUBSCRIPTION, LoneKey, status_of
from .missing import Missing
from .models import (
    Account,
    AccountKey,
    KeyState,
    KeyStatus,
    Site,
    read_models,
    read_models_of_group,
)
from .news import Monitor, read_monitors, read_notice
from .offers import CheckIn, CheckInDialect, read_groups
from .pages import PAGE_SIZE, all_items
from .plans import Offered, Subscriptions, read_offered, read_plans
from .transport import SUCCESS, Reply, Transport
from .usage import (
    KeyUsage,
    LogKind,
    ModelDay,
    ModelUsage,
    Range,
    Spent,
    read_days,
    read_hours,
    read_keys,
    read_log,
)

_STATUS: Final = "/api/status"
_KEYS: Final = "/api/token/"
_MODELS: Final = "/v1/models"
_SPENT: Final = "/api/log/self/stat"
_LOG: Final = "/api/log/self"
_BY_HOUR: Final = "/api/data/self"
_BY_DAY: Final = "/api/user/dashboard"
_BY_KEY: Final = "/api/data/flow/self"
_PLANS: Final = "/api/subscription/self"
_OFFERED_PLANS: Final = "/api/subscription/plans"
_TOP_UPS: Final = "/api/user/topup/self"
_GROUPS: Final = "/api/user/self/groups"
_NOTICE: Final = "/api/notice"
_MONITORS: Final = "/api/uptime/status"

_VERSION_HEADER: Final = "X-New-Api-Version"

# The site asks other servers first, for up to 30 seconds (5.4).
_MONITORS_PATIENCE: Final = 40.0


class Client:
    """Asks one site about itself, about a key and about an account.

    It remembers which endpoints the site does not have: asking for them again and
    again costs the person's own page views (gateway_api.md 1.3).
    """

    def __init__(
        self,
        session: ClientSession,
        base: URL,
        credentials: Credentials,
        *,
        budget: Budget | None = None,
        journal: Journal | None = None,
        clock: Callable[[], float] = time,
        account_id: int | None = None,
    ) -> None:
        """Take a session without cookies and the base of the site's URLs.

        `budget` is the one of the origin where several clients ask it; `journal` keeps
        what became of the questions; `clock` gives Unix seconds. Where `account_id` is
        known, figures of another account are not taken for those of this one, whoever
        mixed them up (gateway_api.md 1.5).
        """
        self.budget = budget or Budget()
        self.journal = journal or Journal(clock)
        self._base = base
        self._credentials = credentials
        self._account_id = account_id
        transport = Transport(session, base, self.budget, self.journal)
        self._asker = Asker(transport, credentials, clock)
        self._missing = Missing(clock)
        self._account_asker = AccountAsker(self._asker, self.journal, self._missing)
        self._lone_key = LoneKey(self._asker, self.journal, self._missing)

    def asks(self, base: URL, credentials: Credentials, account_id: int | None) -> bool:
        """Tell whether this client is for a site, with credentials, for an account."""
        return (self._base, self._credentials, self._account_id) == (
            base,
            credentials,
            account_id,
        )

    def site_time(self) -> float:
        """Return the time by the clock of the site, as it last told it (Unix seconds).

        That is what its log goes by.
        """
        return self._asker.site_time()

    async def site(self) -> Site:
        """Ask a site what it is. Raises NotAGatewayError where it is none of ours."""
        async with self._question("site"):
            try:
                reply = await self._asker.get(_STATUS)
            except (
                EmptyReplyError,
                EndpointMissingError,
                RefusedError,
                UnexpectedReplyError,
            ) as err:
                raise NotAGatewayError("The site does not say what it is") from err
            with self.journal.reading(_STATUS):
                data = reply.mapping(NotAGatewayError)
                if data.keys().isdisjoint(("quota_per_unit", "system_name")):
                    raise NotAGatewayError("The site does not say what it is")
                return Site.from_reply(data, reply.headers.get(_VERSION_HEADER))

    async def key(self, site: Site, listed: AccountKey | None = None) -> KeyState:
        """Ask what the key may still spend.

        `listed` is the key in the account's list, where that is known: its figures
        are right and cheap, and only what the list cannot know is asked for.
        """
        async with self._question("key"):
            if listed is not None:
                return await self._listed_key(listed)
            return await self._lone_key.state(site)

    async def key_models(self) -> tuple[str, ...]:
        """Ask which models the key can use; distinct ids, sorted."""
        async with self._question("key_models"):
            reply = await self._asker.get_as_key(_MODELS, Bucket.MODELS)
            with self.journal.reading(_MODELS):
                return read_models(reply.payload())

    async def account(self) -> Account:
        """Ask for the account's balance.

        Raises RefusedError where the token or the user ID is wrong, with one of the
        reasons INVALID, OWNER_DISABLED, USER_ID_MISSING and USER_ID_MISMATCH, and with
        UNEXPLAINED where something stands in front of the site.
        """
        async with self._question("account"):
            reply = await self._account_asker.account()
            with self.journal.reading(ACCOUNT):
                account = Account.from_reply(reply.mapping())
                is_expected = self._account_id in (None, account.id)
                if not is_expected or self._credentials.user_id not in (
                    None,
                    str(account.id),
                ):
                    # Newer servers ignore the header and answer all the same (trap 20).
                    raise RefusedError(Refusal.USER_ID_MISMATCH, HTTPStatus.OK)
                return account

    async def keys(self, site: Site) -> tuple[AccountKey, ...]:
        """Ask for all keys of the account, newest first.

        Raises RefusedError where the account is disabled.
        """
        async with self._question("keys"):
            with self.journal.reading(_KEYS):
                try:
                    items = await all_items(self._page, dialect_of(site.family))
                except RefusedError as err:
                    if err.reason is Refusal.OWNER_DISABLED:
                        raise
                    raise ServerTroubleError("The site does not list the keys") from err
                keys = {key.id: key for key in map(self._read_listed, items)}
            if sum(key.configured for key in keys.values()) > 1:
                # Two keys with the same visible ends: better none than the wrong one.
                keys = {
                    number: replace(key, configured=False)
                    for number, key in keys.items()
                }
            for key in keys.values():
                if key.configured:
                    self._lone_key.expect(key.name)
            return tuple(keys.values())

    def needs_group(self, site: Site) -> bool:
        """Tell whether only who knows an account's group learns of its models."""
        return MODELS_BY_GROUP in dialect_of(site.family).account_models

    async def account_models(
        self, site: Site, group: str | None = None
    ) -> tuple[str, ...]:
        """Ask which models the account can use; distinct ids, sorted.

        `group` is the account's, see `needs_group`. Raises EndpointMissingError where
        the site does not tell.
        """
        async with self._question("account_models"):
            for path in dialect_of(site.family).account_models:
                if self._missing.knows(site, path):
                    continue
                try:
                    models = await self._models_at(path, group)
                except EndpointMissingError:
                    self._missing.note(site, path)
                except RefusedError as err:
                    # Servers take an unknown path for the id of a user, and refuse to
                    # show that one with a 200 or a 403 (1.3). So this may be a missing
                    # endpoint, or not.
                    if not err.by_dashboard or err.status == HTTPStatus.UNAUTHORIZED:
                        raise
                else:
                    self._missing.note_answer(path)
                    return models
            raise EndpointMissingError("The site does not list the account's models")

    async def spent(self, site: Site, start: int, end: int) -> Spent:
        """Ask what the account spent from `start` to `end`, in Unix s, both included.

        This and all that follows about an account raises RefusedError as `account`
        does, and EndpointMissingError where the site does not have it.
        """
        asked = {"type": "2", **Range(start, end).as_params()}
        async with self._question("spent"):
            return await self._account_asker.ask(
                site, _SPENT, lambda reply: Spent.from_reply(reply.mapping()), asked
            )

    async def usage_by_hour(
        self, site: Site, start: int, end: int
    ) -> tuple[ModelUsage, ...]:
        """Ask what went to each model in each hour, from the hour of `start` to `end`.

        Unix seconds. Sorted by hour and model. Raises ValueError for more than 30 days.
        """
        asked = Range.of_hours(start, end)

        def read(reply: Reply) -> tuple[ModelUsage, ...]:
            return read_hours(reply.payload(marker=SUCCESS), asked, self._account_id)

        async with self._question("usage_by_hour"):
            return await self._account_asker.ask(
                site, _BY_HOUR, read, asked.as_params()
            )

    async def usage_by_day(self, site: Site) -> tuple[ModelDay, ...]:
        """Ask what went to each model on each of the last days.

        Sorted by day and model. One API and its relatives have it (6.7).
        """
        async with self._question("usage_by_day"):
            return await self._account_asker.ask(
                site, _BY_DAY, lambda reply: read_days(reply.payload(marker=SUCCESS))
            )

    async def usage_by_key(
        self, site: Site, start: int, end: int
    ) -> tuple[KeyUsage, ...]:
        """Ask what each key spent on each model, from the hour of `start` to `end`.

        Unix seconds. Sorted by key and model. Raises ValueError for more than 30 days.
        """
        asked = Range.of_hours(start, end).as_params()
        async with self._question("usage_by_key"):
            return await self._account_asker.ask(
                site,
                _BY_KEY,
                lambda reply: read_keys(reply.payload(marker=SUCCESS)),
                asked,
            )

    async def logged(
        self, site: Site, kind: LogKind, start: int, end: int
    ) -> tuple[int, ...]:
        """Ask for the rows of the log of a kind, from `start` to `end`, both included.

        In Unix seconds; returned is the raw quota in each of them (6.5).
        """
        asked = Range(start, end)
        number = str(kind.value)
        ask = self._account_asker.pages(
            site, _LOG, {"type": number, "log_type": number, **asked.as_params()}
        )
        async with self._question("logged"):
            with self.journal.reading(_LOG):
                # What its rows have for an id is the place in the list, or nothing.
                items = await all_items(ask, dialect_of(site.family), len)
                return read_log(items, kind, asked, self._account_id)

    async def plans(
        self, site: Site, *, ended_after: float | None = None
    ) -> Subscriptions:
        """Ask for the active subscription plans, the one that is used first first.

        With those that have ended after a time in Unix seconds, where it is given;
        then without titles and periods. These come from another question, which is
        only asked where there is a plan; without an answer to that they are None.
        """

        def read(reply: Reply) -> Subscriptions:
            return read_plans(
                reply.mapping(),
                self._asker.site_time(),
                self._account_id,
                ended_after=ended_after,
            )

        async with self._question("plans"):
            found = await self._account_asker.ask(site, _PLANS, read)
            if not found.plans or ended_after is not None:
                return found
            offered = await self._offered(site)
            return replace(
                found,
                plans=tuple(
                    plan.offered_as(offered.get(plan.plan_id)) for plan in found.plans
                ),
            )

    async def check_in(self, site: Site, month: str) -> CheckIn:
        """Ask whether the account may still check in today; this does not check in.

        `month` is the present one of the site, as `2026-11`.
        """
        async with self._question("check_in"):
            if site.check_in is None:
                raise EndpointMissingError("The site has no check-in")
            path = site.check_in.value
            params = (
                {"month": month} if site.check_in is CheckInDialect.NEW_API else None
            )
            return await self._account_asker.ask(
                site,
                path,
                lambda reply: CheckIn.from_reply(reply.mapping()),
                params,
                is_there=True,
            )

    async def pending_top_ups(self, site: Site) -> int:
        """Ask how many payments have begun and not arrived yet."""
        async with self._question("pending_top_ups"):
            ask = self._account_asker.pages(site, _TOP_UPS)
            with self.journal.reading(_TOP_UPS):
                items = await all_items(ask, dialect_of(site.family))
                for item in read_rows(items):
                    check_owner(item, self._account_id)
                return sum(read_name(item, "status") == "pending" for item in items)

    async def groups(self, site: Site) -> Mapping[str, Decimal | None]:
        """Ask which groups the account may use, and what they multiply prices by.

        None for a ratio that is no number.
        """
        async with self._question("groups"):
            return await self._account_asker.ask(
                site, _GROUPS, lambda reply: read_groups(reply.mapping())
            )

    async def notice(self) -> str | None:
        """Ask for the notice of the site, as it was written; None for none."""
        async with self._question("notice"):
            reply = await self._public(_NOTICE)
            with self.journal.reading(_NOTICE):
                return read_notice(reply.payload(marker=SUCCESS))

    async def monitors(self, site: Site) -> tuple[Monitor, ...]:
        """Ask for the monitors that the site shows, no two of one group and name."""
        async with self._question("monitors"):
            if not site.has_monitors or self._missing.knows(site, _MONITORS):
                raise EndpointMissingError("The site shows no monitors")
            try:
                reply = await self._public(_MONITORS, _MONITORS_PATIENCE)
            except EndpointMissingError:
                self._missing.note(site, _MONITORS)
                raise
            with self.journal.reading(_MONITORS):
                return read_monitors(reply.payload(marker=SUCCESS))

    @asynccontextmanager
    async def _question(self, name: str) -> AsyncIterator[None]:
        with self.journal.question(name):
            async with within(QUESTION_TIMEOUT):
                yield

    async def _models_at(self, path: str, group: str | None) -> tuple[str, ...]:
        if path != MODELS_BY_GROUP:
            reply = await self._asker.get_as_account(path)
            with self.journal.reading(path):
                data = reply.payload()
                # Older versions say null for none (6.2).
                return read_models([] if data is None else data)
        # One Hub shows everybody all models, with the groups that may use them.
        reply = await self._asker.get(path)
        with self.journal.reading(path):
            return read_models_of_group(reply.payload(), group)

    async def _listed_key(self, listed: AccountKey) -> KeyState:
        state = listed.as_state()
        try:
            await self._asker.get_as_key(SUBSCRIPTION)
        except RefusedError as err:
            status = status_of(err)
            if status in (KeyStatus.IP_RESTRICTED, KeyStatus.OWNER_DISABLED):
                return replace(state, status=status)
            if state.status is not KeyStatus.ACTIVE:
                return state
            if status is KeyStatus.INVALID:
                # The account has this key, so it is none that does not exist.
                status = KeyStatus.REFUSED
            return replace(state, status=status)
        except GatewayError:
            # The figures come from the list, so nothing of value is missing.
            return state
        if state.status is KeyStatus.EXPIRED:
            # The site accepts it, so its clock and ours do not agree.
            return replace(state, status=KeyStatus.ACTIVE)
        return state

    def _read_listed(self, item: Any) -> AccountKey:
        if not isinstance(item, Mapping):
            raise UnexpectedReplyError("A key in the list is not an object")
        check_owner(item, self._account_id)
        listed = item.get("key")
        configured = isinstance(listed, str) and self._credentials.is_key(listed)
        return AccountKey.from_reply(
            item, self._asker.site_time(), configured=configured
        )

    async def _page(self, parameter: str, number: int) -> Mapping[str, Any]:
        reply = await self._asker.get_as_account(
            _KEYS, {parameter: str(number), "size": str(PAGE_SIZE)}
        )
        reply.payload(marker=SUCCESS)
        return reply.data

    async def _offered(self, site: Site) -> Mapping[int, Offered]:
        try:
            return await self._account_asker.ask(
                site,
                _OFFERED_PLANS,
                lambda reply: read_offered(reply.payload(marker=SUCCESS)),
            )
        except GatewayError:
            # It is worth less than what it belongs to.
            return {}

    async def _public(self, path: str, patience: float | None = None) -> Reply:
        try:
            return await self._asker.get(path, patience)
        except RefusedError as err:
            # No credential was sent that could be wrong.
            raise ServerTroubleError("The site does not tell everybody") from err
