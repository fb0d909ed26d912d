"""Whether an account is used while others are asked what it has used."""

type Counters = tuple[int, int]
"""What an account has used, raw quota, and the number of its requests."""


class Stillness:
    """Compares the account with what it was at the last readings of a source of it.

    Sources are written some time after the account, so that what one says is the
    account's figure only if nothing has moved since it was read before.
    """

    def __init__(self) -> None:
        """Start without any reading."""
        self._seen: list[Counters] = []

    @property
    def is_first(self) -> bool:
        """Tell whether no reading was noted yet."""
        return not self._seen

    def is_still(self, counters: Counters | None) -> bool:
        """Tell whether the account was not used since the last reading."""
        return counters is not None and self._seen[-1:] == [counters]

    def is_settled(self, counters: Counters | None) -> bool:
        """Tell whether it was not since the one before, either: nothing is to come."""
        return counters is not None and self._seen == [counters, counters]

    def note(self, counters: Counters | None) -> None:
        """Note what the account was when the source was read."""
        if counters is not None:
            self._seen = [*self._seen[-1:], counters]
