"""The client of one site: one method per question, not per URL.

Every figure is raw quota. Every method raises a GatewayError where the site gives no
answer that can be relied on.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from time import time
from typing import Any, Final

from aiohttp import ClientSession
from yarl import URL

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
from .journal import Journal
from .key_list import PAGE_SIZE, all_items
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
from .transport import Transport

_STATUS: Final = "/api/status"
_ACCOUNT: Final = "/api/user/self"
_KEYS: Final = "/api/token/"
_MODELS: Final = "/v1/models"

_VERSION_HEADER: Final = "X-New-Api-Version"

_ABOUT_THE_ACCOUNT: Final = frozenset(
    {
        Refusal.OWNER_DISABLED,
        Refusal.USER_ID_MISSING,
        Refusal.USER_ID_MISMATCH,
    }
)


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
        self._lone_key = LoneKey(self._asker, self.journal, self._missing)

    def asks(self, base: URL, credentials: Credentials, account_id: int | None) -> bool:
        """Tell whether this client is for a site, with credentials, for an account."""
        return (self._base, self._credentials, self._account_id) == (
            base,
            credentials,
            account_id,
        )

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
            try:
                reply = await self._asker.get_as_account(_ACCOUNT)
            except RefusedError as err:
                if err.by_dashboard and err.reason in _ABOUT_THE_ACCOUNT:
                    raise
                # Whatever else the dashboard says, in a 200 or a 401, is about the
                # token. Who answers otherwise stands before it (1.2).
                is_rejected = err.by_dashboard and err.status != HTTPStatus.FORBIDDEN
                reason = Refusal.INVALID if is_rejected else Refusal.UNEXPLAINED
                raise RefusedError(reason, err.status) from None
            with self.journal.reading(_ACCOUNT):
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
                    return await self._models_at(path, group)
                except EndpointMissingError:
                    self._missing.note(site, path)
                except RefusedError as err:
                    # Servers take an unknown path for the id of a user, and refuse to
                    # show that one with a 200 or a 403 (1.3). So this may be a missing
                    # endpoint, or not.
                    if not err.by_dashboard or err.status == HTTPStatus.UNAUTHORIZED:
                        raise
            raise EndpointMissingError("The site does not list the account's models")

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
        if self._account_id not in (None, item.get("user_id")):
            raise UnexpectedReplyError("The list is about another account")
        listed = item.get("key")
        configured = isinstance(listed, str) and self._credentials.is_key(listed)
        return AccountKey.from_reply(
            item, self._asker.site_time(), configured=configured
        )

    async def _page(self, parameter: str, number: int) -> Mapping[str, Any]:
        reply = await self._asker.get_as_account(
            _KEYS, {parameter: str(number), "size": str(PAGE_SIZE)}
        )
        if reply.data.get("success") is not True:
            raise UnexpectedReplyError("The list of keys does not say yes")
        reply.payload()
        return reply.data
