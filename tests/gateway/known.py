"""What the client knows, in the form of the expectations."""

from custom_components.new_api.gateway.models import AccountKey, KeyState
from tests.gateway.expectations import Key, ListedKey


def known(state: KeyState) -> Key:
    """Return what a client knows of a key."""
    return Key(
        status=state.status.value,
        scope=state.scope.value,
        unlimited=state.unlimited,
        remaining_quota=state.remaining_quota,
        used_quota=state.used_quota,
        expires_at=state.expires_at,
    )


def listed(key: AccountKey) -> ListedKey:
    """Return what a client knows of a key from its account's list."""
    return ListedKey(
        id=key.id,
        name=key.name,
        status=key.status.value,
        unlimited=key.unlimited,
        remaining_quota=key.remaining_quota,
        used_quota=key.used_quota,
        expires_at=key.expires_at,
    )
