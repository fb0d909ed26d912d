"""The client of one site: one method per question, not per URL.

Every figure is raw quota. Every method raises a GatewayError where the site gives no
answer that can be relied on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from time import time
from typing import Any, Final, Self, TypeGuard

from aiohttp import ClientSession
from yarl import URL

from .billing import Billing, BillingReader
from .budget import Bucket, Budget
from .concurrency import QUESTION_TIMEOUT, at_once, within
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
from .families import dialect_of
from .key_list import PAGE_SIZE, all_items
from .models import (
    Account,
    AccountKey,
    KeyState,
    KeyStatus,
    Scope,
    Site,
    TokenUsage,
    read_models,
    read_models_of_group,
)
from .transport import Reply, Transport

# How long billing that does not change is taken for the key's without asking the key
# itself, in seconds, and how long where it cannot be asked.
_RECHECK: Final = 3600.0
_TRUST: Final = 86_400.0

# How long a key that is refused is so for the reason last given, in seconds.
_EXPLAINED: Final = 240.0

_VERSION_HEADER: Final = "X-New-Api-Version"

_STATUS_OF: Final = {
    Refusal.EXHAUSTED: KeyStatus.EXHAUSTED,
    Refusal.EXPIRED: KeyStatus.EXPIRED,
    Refusal.DISABLED: KeyStatus.DISABLED,
    Refusal.IP_RESTRICTED: KeyStatus.IP_RESTRICTED,
    Refusal.OWNER_DISABLED: KeyStatus.OWNER_DISABLED,
    Refusal.INVALID: KeyStatus.INVALID,
}

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
        clock: Callable[[], float] = time,
        account_id: int | None = None,
    ) -> None:
        """Take a session without cookies and the base of the site's URLs.

        `budget` is the one of the origin where several clients ask it; `clock` gives
        Unix seconds. Where `account_id` is known, figures of another account are not
        taken for those of this one, whoever mixed them up (gateway_api.md 1.5).
        """
        self._transport = Transport(session, base, budget or Budget())
        self._credentials = credentials
        self._clock = clock
        self._account_id = account_id
        self._missing: set[str] = set()
        self._billing_reader = BillingReader()
        self._agreement: _Agreement | None = None
        self._explanation: tuple[KeyState, float] | None = None
        self._skew = 0.0

    def forget_missing(self) -> None:
        """Ask again for what the site did not have: it may have been updated."""
        self._missing.clear()

    async def site(self) -> Site:
        """Ask a site what it is. Raises NotAGatewayError where it is none of ours."""
        async with within(QUESTION_TIMEOUT):
            try:
                reply = await self._transport.get("/api/status")
            except (
                EmptyReplyError,
                EndpointMissingError,
                RefusedError,
                UnexpectedReplyError,
            ) as err:
                raise NotAGatewayError("The site does not say what it is") from err
            data = _mapping(reply, NotAGatewayError)
            if data.keys().isdisjoint(("quota_per_unit", "system_name")):
                raise NotAGatewayError("The site does not say what it is")
            return Site.from_reply(data, reply.headers.get(_VERSION_HEADER))

    async def key(self, site: Site, listed: AccountKey | None = None) -> KeyState:
        """Ask what the key may still spend.

        `listed` is the key in the account's list, where that is known: its figures
        are right and cheap, and only what the list cannot know is asked for.
        """
        async with within(QUESTION_TIMEOUT):
            if listed is not None:
                return await self._listed_key(listed)
            return await self._key_alone(site)

    async def key_models(self) -> tuple[str, ...]:
        """Ask which models the key can use; distinct ids, sorted."""
        async with within(QUESTION_TIMEOUT):
            reply = await self._transport.get(
                "/v1/models",
                bucket=Bucket.MODELS,
                headers=self._credentials.key_headers(),
            )
            return read_models(_data(reply))

    async def account(self) -> Account:
        """Ask for the account's balance.

        Raises RefusedError where the token or the user ID is wrong, with one of the
        reasons INVALID, OWNER_DISABLED, USER_ID_MISSING and USER_ID_MISMATCH, and with
        UNEXPLAINED where something stands before the site.
        """
        async with within(QUESTION_TIMEOUT):
            try:
                reply = await self._get_as_account("/api/user/self")
            except RefusedError as err:
                if err.reason in _ABOUT_THE_ACCOUNT:
                    raise
                # Whatever else is said here, in a 200 or a 401, is about the token.
                is_forbidden = err.status == HTTPStatus.FORBIDDEN
                reason = Refusal.UNEXPLAINED if is_forbidden else Refusal.INVALID
                raise RefusedError(reason, err.status) from None
            account = Account.from_reply(_mapping(reply))
            if self._credentials.user_id not in (None, str(account.id)):
                # Newer servers ignore the header and answer all the same (trap 20).
                raise RefusedError(Refusal.USER_ID_MISMATCH, HTTPStatus.OK)
            if self._account_id not in (None, account.id):
                raise UnexpectedReplyError("The reply is about another account")
            return account

    async def keys(self, site: Site) -> tuple[AccountKey, ...]:
        """Ask for all keys of the account, newest first.

        Raises RefusedError where the account is disabled.
        """
        async with within(QUESTION_TIMEOUT):
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
            return tuple(keys.values())

    async def account_models(self, site: Site, account: Account) -> tuple[str, ...]:
        """Ask which models the account can use; distinct ids, sorted.

        Raises EndpointMissingError where the site does not tell.
        """
        async with within(QUESTION_TIMEOUT):
            for path in dialect_of(site.family).account_models:
                if path in self._missing:
                    continue
                try:
                    return await self._models_at(path, account)
                except EndpointMissingError:
                    self._missing.add(path)
                except RefusedError:
                    # Older servers take an unknown path for the id of a user, and
                    # refuse to show that one (1.3). So this may be a missing endpoint,
                    # or not.
                    continue
            raise EndpointMissingError("The site does not list the account's models")

    async def _models_at(self, path: str, account: Account) -> tuple[str, ...]:
        if path != "/api/available_model":
            return read_models(_data(await self._get_as_account(path)))
        # One Hub shows everybody all models, with the groups that may use them.
        return read_models_of_group(
            _data(await self._transport.get(path)), account.group
        )

    async def _listed_key(self, listed: AccountKey) -> KeyState:
        state = listed.as_state()
        try:
            await self._get_as_key("/v1/dashboard/billing/subscription")
        except RefusedError as err:
            status = _status_of(err)
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

    async def _key_alone(self, site: Site) -> KeyState:
        state, refusal = await self._key_in_billing(site)
        if refusal is None:
            # The next refusal may be for another reason.
            self._explanation = None
        if state is not None and (
            state.status is KeyStatus.INVALID or _is_complete(state)
        ):
            return state
        known = self._known_from(state, refusal, _RECHECK, _EXPLAINED)
        if known is not None:
            return known
        try:
            # To know why a key is refused is a better reason than to know once more
            # that billing is right.
            usage = await self._token_usage(site, reserve=0 if refusal else 1)
        except RefusedError as err:
            self._explanation = None
            if state is None or state.status is KeyStatus.REFUSED:
                return KeyState(_status_of(err))
            return replace(state, unanswered=err)
        except EndpointMissingError:
            if state is None:
                raise
            return state
        except GatewayError as err:
            if state is None:
                raise
            known = self._known_from(state, refusal, _TRUST, _TRUST)
            return known or replace(state, unanswered=err)
        now = self._clock()
        self._agreement = _Agreement.between(state, usage, now)
        whole = _from_usage(usage, refusal, self._now())
        self._explanation = (whole, now) if refusal is not None else None
        return whole

    def _known_from(
        self,
        billing: KeyState | None,
        refusal: RefusedError | None,
        agreed: float,
        explained: float,
    ) -> KeyState | None:
        """Return the state of the key where no critical call is needed for it.

        Billing says what it said when it agreed with the key's own figures, at most
        `agreed` seconds ago, or the key is still refused as it was when the site said
        why, at most `explained` seconds ago.
        """
        now = self._clock()
        if refusal is not None:
            if self._explanation is None or now - self._explanation[1] > explained:
                return None
            return self._explanation[0]
        agreement = self._agreement
        if agreement is None or now - agreement.at > agreed:
            return None
        return agreement.complete(billing) if agreement.covers(billing) else None

    async def _key_in_billing(
        self, site: Site
    ) -> tuple[KeyState | None, RefusedError | None]:
        """Return the state of the key as billing shows it, and why it is refused.

        The state is None where the site has no billing.
        """
        try:
            billing = await self._billing()
        except EndpointMissingError:
            return None, None
        except RefusedError as err:
            return KeyState(_status_of(err)), err
        return self._billing_reader.read(site, billing), None

    async def _billing(self) -> Billing:
        """Ask both billing endpoints. Raises RefusedError of the key."""
        subscription, usage = await at_once(
            self._billing_reply("subscription"), self._billing_reply("usage")
        )
        return Billing.from_replies(subscription, usage)

    async def _billing_reply(self, name: str) -> Mapping[str, Any] | None:
        """Return a reply of billing; None where the site says yes without figures."""
        try:
            reply = await self._get_as_key(f"/v1/dashboard/billing/{name}")
        except EmptyReplyError:
            return None
        return reply.data

    async def _token_usage(self, site: Site, *, reserve: int) -> TokenUsage:
        path = "/api/usage/token/"
        if path in self._missing or not dialect_of(site.family).token_usage:
            raise EndpointMissingError("The site has no such endpoint")
        try:
            reply = await self._get_as_key(path, Bucket.CRITICAL, reserve)
        except EndpointMissingError:
            self._missing.add(path)
            raise
        return TokenUsage.from_reply(_mapping(reply, marker="code"))

    def _read_listed(self, item: Any) -> AccountKey:
        if not isinstance(item, Mapping):
            raise UnexpectedReplyError("A key in the list is not an object")
        if self._account_id not in (None, item.get("user_id")):
            raise UnexpectedReplyError("The list is about another account")
        listed = item.get("key")
        configured = isinstance(listed, str) and self._credentials.is_key(listed)
        return AccountKey.from_reply(item, self._now(), configured=configured)

    def _now(self) -> float:
        """Return the time by the clock of the site, in Unix seconds."""
        return self._clock() + self._skew

    async def _page(self, parameter: str, number: int) -> Mapping[str, Any]:
        reply = await self._get_as_account(
            "/api/token/", {parameter: str(number), "size": str(PAGE_SIZE)}
        )
        if reply.data.get("success") is not True:
            raise UnexpectedReplyError("The list of keys does not say yes")
        _data(reply)
        return reply.data

    async def _get_as_key(
        self, path: str, bucket: Bucket = Bucket.GENERAL, reserve: int = 0
    ) -> Reply:
        return self._timed(
            await self._transport.get(
                path,
                bucket=bucket,
                reserve=reserve,
                headers=self._credentials.key_headers(),
            )
        )

    async def _get_as_account(
        self, path: str, params: Mapping[str, str] | None = None
    ) -> Reply:
        return self._timed(
            await self._transport.get(
                path, params=params, headers=self._credentials.account_headers()
            )
        )

    def _timed(self, reply: Reply) -> Reply:
        """Compare the clock of the site with ours."""
        at = reply.at()
        self._skew = 0.0 if at is None else at - self._clock()
        return reply


@dataclass(frozen=True, slots=True)
class _Agreement:
    """Billing and the key's own figures said the same.

    As long as billing says it still, that spares the critical calls. It does not prove
    that billing is about the key: an account can have the figures of its only key.
    `granted` is the limit in raw quota, None for an unlimited key; `at` is in Unix
    seconds.
    """

    granted: int | None
    used: int
    name: str | None
    at: float

    @classmethod
    def between(
        cls, billing: KeyState | None, usage: TokenUsage, now: float
    ) -> Self | None:
        """Return the agreement, or None where there is none."""
        granted = None if usage.unlimited else usage.available + usage.used
        agreement = cls(granted, usage.used, usage.name, now)
        return agreement if agreement.covers(billing) else None

    def covers(self, billing: KeyState | None) -> TypeGuard[KeyState]:
        """Tell whether a reading of billing says the same still."""
        return (
            billing is not None
            and billing.status is KeyStatus.ACTIVE
            and billing.used_quota == self.used
            and _granted(billing) == self.granted
        )

    def complete(self, billing: KeyState) -> KeyState:
        """Return the state of the key that a reading of billing stands for."""
        return replace(
            billing, scope=Scope.KEY, unlimited=self.granted is None, name=self.name
        )


def _granted(state: KeyState) -> int | None:
    if state.remaining_quota is None or state.used_quota is None:
        return None
    return state.remaining_quota + state.used_quota


def _status_of(refused: RefusedError) -> KeyStatus:
    return _STATUS_OF.get(refused.reason, KeyStatus.REFUSED)


def _from_usage(
    usage: TokenUsage, refusal: RefusedError | None, now: float
) -> KeyState:
    """Read the state of a key out of its own figures and how it was received."""
    status = usage.status(now)
    if refusal is None:
        # The site knows better than our clock whether the key has expired.
        if status is KeyStatus.EXPIRED:
            status = replace(usage, expires_at=None).status(now)
    elif refusal.reason in _STATUS_OF:
        status = _STATUS_OF[refusal.reason]
    elif refusal.status != HTTPStatus.UNAUTHORIZED:
        # For instance a key whose group is gone (2.1).
        status = KeyStatus.REFUSED
    elif status is KeyStatus.ACTIVE:
        # Of the causes of a 401 that the key's own figures do not show, only this is
        # left: v0.10.8 to rc.16 serve a disabled key's figures (trap 46).
        status = KeyStatus.DISABLED
    return KeyState(
        status=status,
        scope=Scope.KEY,
        unlimited=usage.unlimited,
        # An unlimited key counts down from nothing into the negative (3.4).
        remaining_quota=None if usage.unlimited else usage.available,
        used_quota=usage.used,
        expires_at=usage.expires_at,
        name=usage.name,
    )


def _is_complete(state: KeyState) -> bool:
    """Tell whether billing has said all there is to know of the key itself."""
    return (
        state.scope is Scope.KEY
        and state.used_quota is not None
        and (state.unlimited is True or state.remaining_quota is not None)
    )


def _mapping(
    reply: Reply,
    error: type[NotAGatewayError | UnexpectedReplyError] = UnexpectedReplyError,
    *,
    marker: str = "success",
) -> Mapping[str, Any]:
    """Return the `data` of an envelope that says yes by its marker (1.2)."""
    data = reply.data.get("data")
    if reply.data.get(marker) is not True or not isinstance(data, Mapping):
        raise error("The reply has no data")
    return data


def _data(reply: Reply) -> Any:
    """Return the `data` of a reply, which may be null, but not missing."""
    if "data" not in reply.data:
        raise UnexpectedReplyError("The reply has no data")
    return reply.data["data"]
