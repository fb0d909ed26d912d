"""What a key may still spend, where its account is not known (9.3, 9.4)."""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from .agreement import Agreement
from .asker import Asker
from .billing import Billing, BillingReader
from .budget import Bucket
from .concurrency import at_once
from .errors import (
    EmptyReplyError,
    EndpointMissingError,
    GatewayError,
    Refusal,
    RefusedError,
    ServerTroubleError,
    UnexpectedReplyError,
)
from .families import dialect_of, may_show_disabled_keys
from .journal import Journal
from .missing import Missing
from .models import KeyState, KeyStatus, Scope, Site, TokenUsage

# How long billing that does not change is taken for the key's without asking the key
# itself, in seconds, and how long where it cannot be asked.
_RECHECK: Final = 3600.0
_TRUST: Final = 86_400.0

# How long a key that is refused is so for the reason last given, in seconds.
_EXPLAINED: Final = 240.0

SUBSCRIPTION: Final = "/v1/dashboard/billing/subscription"
_USAGE: Final = "/v1/dashboard/billing/usage"
_KEY_USAGE: Final = "/api/usage/token/"

_STATUS_OF: Final = {
    Refusal.EXHAUSTED: KeyStatus.EXHAUSTED,
    Refusal.EXPIRED: KeyStatus.EXPIRED,
    Refusal.DISABLED: KeyStatus.DISABLED,
    Refusal.IP_RESTRICTED: KeyStatus.IP_RESTRICTED,
    Refusal.OWNER_DISABLED: KeyStatus.OWNER_DISABLED,
    Refusal.INVALID: KeyStatus.INVALID,
}


class LoneKey:
    """Asks billing and, seldom, the key itself, and learns from reading to reading."""

    def __init__(self, asker: Asker, journal: Journal, missing: Missing) -> None:
        """Start without having seen anything."""
        self._asker = asker
        self._journal = journal
        self._missing = missing
        self._billing_reader = BillingReader()
        self._agreement: Agreement | None = None
        self._explanation: tuple[KeyState, float] | None = None
        self._name: str | None = None
        self._name_is_certain_until = 0.0

    def expect(self, name: str) -> None:
        """Note what the key is called in its account's list."""
        self._note_name(name, is_certain=True)

    async def state(self, site: Site) -> KeyState:
        """Return the state of the key. Raises GatewayError."""
        billed, refusal = await self._billed(site)
        if refusal is None:
            # The next refusal may be for another reason.
            self._explanation = None
        if billed is not None and (
            billed.status is KeyStatus.INVALID or _is_complete(billed)
        ):
            return billed
        known = self._known_from(billed, refusal, _RECHECK, _EXPLAINED)
        if known is not None:
            return known
        try:
            # To know why a key is refused is a better reason than to know once more
            # that billing is right.
            usage = await self._usage(site, reserve=0 if refusal else 1)
        except RefusedError as err:
            self._explanation = None
            if billed is None or billed.status is KeyStatus.REFUSED:
                return KeyState(status_of(err))
            return replace(billed, unanswered=err)
        except EndpointMissingError:
            if billed is None:
                raise
            return billed
        except GatewayError as err:
            return self._without_usage(billed, refusal, err)
        now = self._asker.clock()
        agreement = Agreement.between(billed, usage, now)
        is_contradicted = agreement is None and billed is not None and refusal is None
        if agreement is None and self._is_strange(usage, is_contradicted):
            # A cache on the way may have mixed up replies (1.5).
            strange = UnexpectedReplyError("The reply may be about another key")
            return self._without_usage(billed, refusal, strange)
        self._note_name(usage.name, is_certain=agreement is not None)
        self._agreement = agreement
        whole = _from_usage(site, usage, refusal, self._asker.site_time())
        self._explanation = (whole, now) if refusal is not None else None
        return whole

    def _without_usage(
        self,
        billed: KeyState | None,
        refusal: RefusedError | None,
        err: GatewayError,
    ) -> KeyState:
        """Return what is known where the key's own figures are not."""
        if billed is None:
            raise err
        # A key that is refused here may be used elsewhere.
        known = self._known_from(billed, refusal, _TRUST, _RECHECK)
        return known or replace(billed, unanswered=err)

    def _is_strange(self, usage: TokenUsage, is_contradicted: bool) -> bool:
        """Tell whether figures that nothing confirms may be another key's.

        They may if the key was called otherwise. Where that was certain and billing
        contradicts them, they are; else a key that was renamed is believed the second
        time.
        """
        if self._name in (None, usage.name):
            return False
        is_certain = self._asker.clock() < self._name_is_certain_until
        if not (is_certain and is_contradicted):
            self._note_name(usage.name, is_certain=False)
        return True

    def _note_name(self, name: str | None, *, is_certain: bool) -> None:
        self._name = name
        self._name_is_certain_until = (
            self._asker.clock() + _TRUST if is_certain else 0.0
        )

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
        now = self._asker.clock()
        if refusal is not None:
            if self._explanation is None or now - self._explanation[1] > explained:
                return None
            return self._explanation[0]
        agreement = self._agreement
        if agreement is None or now - agreement.at > agreed:
            return None
        return agreement.complete(billing) if agreement.covers(billing) else None

    async def _billed(self, site: Site) -> tuple[KeyState | None, RefusedError | None]:
        """Return the state of the key as billing shows it, and why it is refused.

        The state is None where the site has no billing.
        """
        try:
            billing = await self._billing()
        except EndpointMissingError:
            return None, None
        except RefusedError as err:
            return KeyState(status_of(err)), err
        return self._billing_reader.read(site, billing), None

    async def _billing(self) -> Billing:
        """Ask both billing endpoints. Raises RefusedError of the key."""
        subscription, usage = await at_once(
            self._billing_reply(SUBSCRIPTION), self._billing_reply(_USAGE)
        )
        if isinstance(subscription, RefusedError):
            if isinstance(usage, RefusedError):
                raise subscription
            raise ServerTroubleError("The site refuses a key that it accepts")
        if isinstance(usage, RefusedError):
            raise ServerTroubleError("The site refuses a key that it accepts")
        with self._journal.reading(SUBSCRIPTION, _USAGE):
            return Billing.from_replies(subscription, usage)

    async def _billing_reply(
        self, path: str
    ) -> Mapping[str, Any] | RefusedError | None:
        """Return a reply of billing, or the refusal of the key.

        None where the site says yes without figures.
        """
        try:
            reply = await self._asker.get_as_key(path)
        except EmptyReplyError:
            return None
        except RefusedError as err:
            return err
        return reply.data

    async def _usage(self, site: Site, *, reserve: int) -> TokenUsage:
        if (
            self._missing.knows(site, _KEY_USAGE)
            or not dialect_of(site.family).token_usage
        ):
            raise EndpointMissingError("The site has no such endpoint")
        try:
            reply = await self._asker.get_as_key(_KEY_USAGE, Bucket.CRITICAL, reserve)
        except EndpointMissingError:
            self._missing.note(site, _KEY_USAGE)
            raise
        self._missing.note_answer(_KEY_USAGE)
        with self._journal.reading(_KEY_USAGE):
            return TokenUsage.from_reply(reply.mapping(marker="code"))


def status_of(refused: RefusedError) -> KeyStatus:
    """Return the status of a key that is refused, as far as the site tells it."""
    return _STATUS_OF.get(refused.reason, KeyStatus.REFUSED)


def _from_usage(
    site: Site, usage: TokenUsage, refusal: RefusedError | None, now: float
) -> KeyState:
    """Read the state of a key out of its own figures and how it was received."""
    status = usage.status(now)
    is_inferred = False
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
        # left, where they are shown of a disabled key at all (trap 46). Elsewhere it
        # was used up or had expired, and nobody has enabled it again.
        may_be_disabled = may_show_disabled_keys(site.version)
        status = KeyStatus.DISABLED if may_be_disabled else KeyStatus.REFUSED
        is_inferred = True
    return KeyState(
        status=status,
        is_inferred=is_inferred,
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
