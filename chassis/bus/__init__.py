"""The bus: topics of records in partitions, read by groups. Two implementations, one contract."""

from chassis.bus.contract import (
    Assigned,
    Bus,
    BusError,
    Message,
    Producer,
    Record,
    Subscription,
    TopicPartition,
)
from chassis.bus.embedded import EmbeddedBus
from chassis.bus.kafka import KafkaBus

__all__ = [
    "Assigned",
    "Bus",
    "BusError",
    "EmbeddedBus",
    "KafkaBus",
    "Message",
    "Producer",
    "Record",
    "Subscription",
    "TopicPartition",
    "open_bus",
]


def open_bus(url: str) -> Bus:
    """The bus at `kafka://host:port[,host:port]`, or the embedded one at `postgresql://…`."""
    scheme, _, address = url.partition("://")
    match scheme:
        case "kafka":
            return KafkaBus(address)
        case "postgresql":
            return EmbeddedBus(url)
        case _:
            raise ValueError(f"no bus for the scheme {scheme!r}")
