"""What spares asking a key for its own figures: billing that agrees with them."""

from dataclasses import dataclass, replace
from typing import Self, TypeGuard

from .models import KeyState, KeyStatus, Scope, TokenUsage


@dataclass(frozen=True, slots=True)
class Agreement:
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
