"""Clients (接入方): what they may be granted, and which of their secrets count."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

CLIENT_ID = r"^[a-z0-9][a-z0-9._-]{2,63}$"
SCOPE = r"^[a-z][a-z0-9_.:-]{1,63}$"
CHANGE_OVER = timedelta(days=7)
"""How long the secret in use goes on counting beside a new one."""

VALID_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of a client: counts until `ends_at`, or for good."""

    id: UUID
    hash: str
    created_at: datetime
    used_at: datetime | None
    ends_at: datetime | None

    def counts(self, now: datetime) -> bool:
        return self.ends_at is None or now < self.ends_at


def is_client_id(text: str) -> bool:
    return re.fullmatch(CLIENT_ID, text, re.ASCII) is not None


def valid(secrets: Iterable[Secret], now: datetime) -> list[Secret]:
    """The secrets that count now, newest first: at most two."""
    counting = [secret for secret in secrets if secret.counts(now)]
    counting.sort(key=lambda secret: (secret.created_at, secret.id), reverse=True)
    return counting[:VALID_AT_ONCE]


def ends_after_new(secrets: Sequence[Secret], now: datetime) -> dict[UUID, datetime]:
    """When the secrets that count now end, once a new one is issued.

    The one in use is given the change-over; one that nobody ever used was perhaps lost on its way
    and ends at once. So repeating a request whose answer was lost never locks a client out.
    """
    counting = valid(secrets, now)
    in_use = next((secret for secret in counting if secret.used_at is not None), None)
    ends = dict.fromkeys((secret.id for secret in counting), now)
    if in_use is not None:
        until = now + CHANGE_OVER
        ends[in_use.id] = min(until, in_use.ends_at or until)
    return ends
