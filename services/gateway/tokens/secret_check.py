"""Secrets checked off the event loop, few at a time, the verified ones remembered for a while."""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from chassis.client_secret import verify_secret
from services.gateway.clients.rules import VALID_AT_ONCE, Secret

AT_ONCE = 2
WAITING = 32
REMEMBERED = 1_000
REMEMBERED_SECONDS = 300


class Busy(Exception):  # noqa: N818 - no error: come back a little later
    """More secrets wait to be checked than this process can do in a second or two."""


class SecretCheck:
    """Which of a client's secrets a presented one is.

    A hash costs its memory and time on purpose: without a bound, requests for tokens would take
    the machine. What was verified is remembered under an HMAC of this process, never in clear.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._verified: OrderedDict[bytes, tuple[UUID, float]] = OrderedDict()

    def remembered(self, client_id: str, presented: str, stored: Sequence[Secret]) -> UUID | None:
        """The secret that was verified lately and still counts, without any work."""
        found = self._verified.get(self._digest(client_id, presented))
        if found is None or time.monotonic() - found[1] > REMEMBERED_SECONDS:
            return None
        return next((secret.id for secret in stored if secret.id == found[0]), None)

    async def matching(
        self, client_id: str, presented: str, stored: Sequence[Secret]
    ) -> UUID | None:
        """The secret that was presented; the same work whether there are two, one or none.

        Raises:
            Busy: too many wait already.
        """
        if self._waiting >= WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._slots:
                found = await asyncio.to_thread(_compare, presented, stored)
        finally:
            self._waiting -= 1
        if found is not None:
            self._remember(client_id, presented, found)
        return found

    def _remember(self, client_id: str, presented: str, found: UUID) -> None:
        self._verified[self._digest(client_id, presented)] = (found, time.monotonic())
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)

    def _digest(self, client_id: str, presented: str) -> bytes:
        both = f"{client_id}\n{presented}".encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, both, hashlib.sha256)


def _compare(presented: str, stored: Sequence[Secret]) -> UUID | None:
    hashes: list[str | None] = [secret.hash for secret in stored]
    padded = hashes + [None] * (VALID_AT_ONCE - len(hashes))
    same = [verify_secret(presented, one) for one in padded]
    return next((secret.id for secret, yes in zip(stored, same, strict=False) if yes), None)
