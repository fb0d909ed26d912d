"""One request, as the parts of the simulator see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .options import Options
from .records import Key, User
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
