"""One request, as the parts of the simulator see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
import random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .options import Options
from .records import Key, Model, User
from .replies import Reply, failed
from .texts import Text
from .world import World

if TYPE_CHECKING:
    from .dialects import Dialect


@dataclass(slots=True, kw_only=True)
class Call:
    """A request and the gateway it was sent to."""

    world: World
    options: Options
    dialect: Dialect
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    address: str
    request_id: str
    parameter: str = ""
    """The last segment of a path like `/api/token/:id`."""
    signed_in: bool = False
    """Whether it was let through as an account."""
    user: User = field(init=False)
    """Who asks, once the request was let through as an account."""
    key: Key = field(init=False)
    """What asks, once the request was let through with a key."""

    @property
    def now(self) -> int:
        """Return the time of the request."""
        return self.world.now

    @property
    def zone(self) -> ZoneInfo:
        """Return where the server thinks it is."""
        return ZoneInfo(self.options.time_zone)

    def local_time(self, at: int) -> datetime:
        """Return what a time is where the server is."""
        return datetime.fromtimestamp(at, UTC).astimezone(self.zone)

    def as_cached[T: (User, Key)](self, row: T) -> T:
        """Return a row with the figures of the site's caches, which are late."""
        kind = type(row).__name__.lower()
        late: dict[str, Any] = {}
        for name, seconds in self.options.late.items():
            whose, _, figure = name.partition(".")
            if whose == kind:
                earlier = self.world.past.then(row, self.now - seconds)
                late[figure] = getattr(earlier, figure)
        return replace(row, **late) if late else row

    def models(self) -> list[Model]:
        """Return the models on offer, in the order of this reply."""
        models = list(self.world.models)
        if self.options.shuffles_models:
            random.Random(self.request_id).shuffle(models)
        return models

    def say(self, text: Text) -> str:
        """Return a text in the language of the reply."""
        if not self.dialect.translated:
            return text.chinese
        first, _, _ = self.headers.get("Accept-Language", "").partition(",")
        return text.chinese if first.lower().startswith("zh") else text.english

    def integer(self, name: str) -> int:
        """Read a parameter as a gateway does: 0 where it is not a number."""
        try:
            return int(self.query.get(name, ""))
        except ValueError:
            return 0

    def failed(self, text: Text, status: int = 200, code: str | None = None) -> Reply:
        """Refuse in the dashboard's envelope."""
        return failed(self.say(text), status, code)
