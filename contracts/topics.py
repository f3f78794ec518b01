"""Every topic: its data model, its verbs, who publishes and who subscribes."""

from dataclasses import dataclass

from contracts.events.audit import AuditHead
from contracts.events.community import SocialWorker
from contracts.events.eldercare import Facility
from contracts.events.indicator import FigureSeries
from contracts.events.placename import PlaceUnit
from contracts.events.relief import Award, ReliefCase, Standard
from contracts.model import Contract

PARTITIONS = 6
MENDED = ("restored", "voided")
"""Verbs of every topic, told when a service has come back from a backup: what stands there again
(还原), and of what it has nothing any more (作废)."""


@dataclass(frozen=True, slots=True)
class Topic:
    """`name` is the aggregate's topic; a breaking change is a new topic that ends in `.v2`."""

    name: str
    data: type[Contract]
    verbs: tuple[str, ...]
    title: str
    version: int = 1
    partitions: int = PARTITIONS
    subscribers: tuple[str, ...] = ()
    shared_by: tuple[str, ...] = ()
    """Who publishes on a topic that no single service owns."""

    @property
    def publishers(self) -> tuple[str, ...]:
        """The service that owns the topic, or those that share it."""
        return self.shared_by or (self.name.split(".")[1],)

    def type_of(self, verb: str) -> str:
        """The CloudEvents type of a verb; an unknown verb is a mistake of the publisher."""
        if verb not in self.verbs:
            raise ValueError(f"{self.name} has no verb {verb}")
        return f"{self.name}.{verb}.v{self.version}"


EVERY_SERVICE = ("relief", "eldercare", "indicator", "gateway")

TOPICS: tuple[Topic, ...] = (
    Topic(
        "minzheng.eldercare.facility",
        Facility,
        ("registered", "changed", "corrected", "assessed", "closed", *MENDED),
        "养老服务设施",
        subscribers=("indicator",),
    ),
    Topic(
        "minzheng.relief.standard",
        Standard,
        ("set", "corrected", *MENDED),
        "社会救助标准",
        subscribers=("indicator",),
    ),
    Topic(
        "minzheng.relief.case",
        ReliefCase,
        (
            *("opened", "submitted", "told", "accepted", "declared", "checked", "surveyed"),
            *("opined", "publicised", "objected", "forwarded", "returned", "prolonged"),
            *("decided", "delivered", "withdrawn", "terminated", "moved", "closed"),
            *("proposed", "heard", "noted", *MENDED),
        ),
        "社会救助办件",
    ),
    Topic(
        "minzheng.relief.award",
        Award,
        ("approved", "changed", "reduced", "stopped", "moved", "corrected", *MENDED),
        "社会救助待遇",
        subscribers=("indicator",),
    ),
    Topic(
        "minzheng.indicator.figure",
        FigureSeries,
        ("reported", "corrected", *MENDED),
        "填报数",
        subscribers=("indicator",),
    ),
    Topic(
        "minzheng.placename.unit",
        PlaceUnit,
        ("founded", "changed", "abolished", *MENDED),
        "区划单位",
        subscribers=EVERY_SERVICE,
    ),
    Topic(
        "minzheng.community.social_worker",
        SocialWorker,
        ("registered", "changed", "removed", *MENDED),
        "社会工作专业人才",
        subscribers=("indicator",),
    ),
    Topic(
        "minzheng.audit.head",
        AuditHead,
        ("anchored", *MENDED),
        "审计链链尾",
        # Two keep what all tell, so that neither's own chain is without an anchor.
        subscribers=("indicator", "gateway"),
        shared_by=EVERY_SERVICE,
    ),
)

BY_NAME = {topic.name: topic for topic in TOPICS}
BY_DATA = {topic.data: topic for topic in TOPICS}
BY_TYPE_PREFIX = {(topic.name, topic.version): topic for topic in TOPICS}


def topic_of_type(event_type: str) -> Topic | None:
    """The topic whose data model an event type has, whatever its verb; None when unknown."""
    head, _, version = event_type.rpartition(".v")
    name, _, _verb = head.rpartition(".")
    return BY_TYPE_PREFIX.get((name, int(version))) if version.isdigit() else None
