"""How often a client may fail to authenticate itself before it has to wait."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable


class Throttle:
    """Failures per client id within the last minute, in this process.

    Ids are whatever a caller sends, so only the latest `kept` are remembered.
    """

    def __init__(
        self,
        *,
        limit: int = 10,
        window: float = 60,
        kept: int = 10_000,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._window = window
        self._kept = kept
        self._now = now
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, client_id: str) -> float:
        """Seconds until the client may try again; zero when it may now."""
        times = self._failures.get(client_id, ())
        recent = [at for at in times if self._now() - at < self._window]
        if len(recent) < self._limit:
            return 0
        return self._window - (self._now() - recent[-self._limit])

    def failed(self, client_id: str) -> None:
        times = self._failures.setdefault(client_id, deque(maxlen=self._limit))
        times.append(self._now())
        self._failures.move_to_end(client_id)
        if len(self._failures) > self._kept:
            self._failures.popitem(last=False)
