"""Asking with a credential, and what the clock of the site says."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from .budget import Bucket
from .credentials import Credentials
from .errors import RefusedError, ServerTroubleError
from .transport import Reply, Transport


class Asker:
    """Asks a site as a key, as an account or as nobody."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        clock: Callable[[], float],
    ) -> None:
        """Take a way to the site; `clock` gives Unix seconds."""
        self._transport = transport
        self._credentials = credentials
        self._skew = 0.0
        self.clock = clock

    def site_time(self) -> float:
        """Return the time by the clock of the site, in Unix seconds."""
        return self.clock() + self._skew

    async def get(self, path: str, patience: float | None = None) -> Reply:
        """Ask what everybody may know; `patience` is the transport's."""
        return await self._transport.get(path, patience=patience)

    async def get_as_key(
        self, path: str, bucket: Bucket = Bucket.GENERAL, reserve: int = 0
    ) -> Reply:
        """Ask with the key. Raises RefusedError where it is refused."""
        try:
            reply = await self._transport.get(
                path,
                bucket=bucket,
                reserve=reserve,
                headers=self._credentials.key_headers(),
            )
        except RefusedError as err:
            if err.status != HTTPStatus.OK or bucket is Bucket.CRITICAL:
                raise
            # There, a key is refused with another status (2.1): something failed after
            # it was accepted (4.1, 4.3).
            raise ServerTroubleError("The site failed to answer") from err
        return self._timed(reply)

    async def get_as_account(
        self, path: str, params: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask with the access token. Raises RefusedError where it is refused."""
        return self._timed(
            await self._transport.get(
                path, params=params, headers=self._credentials.account_headers()
            )
        )

    def _timed(self, reply: Reply) -> Reply:
        """Compare the clock of the site with ours."""
        at = reply.at()
        self._skew = 0.0 if at is None else at - self.clock()
        return reply
