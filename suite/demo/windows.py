"""The demonstration's windows: each case goes its way by its town's clerks, day by day."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import httpx

from suite.demo.caller import Caller, DemoError, expect_success
from suite.demo.cases import Ending, Later, Scenario
from suite.demo.clerks import (
    BUREAU_HEAD,
    BUREAU_SURVEYOR,
    CHECKER,
    SURVEYOR,
    TOWN_HEAD,
    WINDOW,
    Role,
    bureau_clerk,
    town_clerk,
)
from suite.demo.people import village_of

APPLICATIONS = "/v1/relief/applications"
AT_ONCE = 8
DELEGATED_FROM = date(2021, 7, 1)
MUNICIPAL_FROM = date(2026, 7, 1)
PATIENCE, LOOK = 90.0, 0.3

_TO_SURVEY = ("bring", "accept", "check", "close_check", "survey", "sign")
_TO_PUBLICITY = (*_TO_SURVEY, "opine", "publicise")
_TO_DECISION = (*_TO_PUBLICITY, "close_publicity")
_WITHOUT_PUBLICITY = (*_TO_SURVEY, "opine", "forward")
_ENDS = ("decide", "deliver", "close")
STEPS: Mapping[Ending, tuple[str, ...]] = {
    Ending.GRANTED: (*_TO_DECISION, *_ENDS),
    Ending.REFUSED: (*_WITHOUT_PUBLICITY, *_ENDS),
    Ending.CONTESTED: (
        *_TO_PUBLICITY,
        *("object", "survey", "sign", "find", "publicise", "close_publicity"),
        *_ENDS,
    ),
    Ending.WITHDRAWN: (*_TO_SURVEY, "withdraw"),
    Ending.TERMINATED: ("bring", "accept", "check", "close_check", "terminate"),
    Ending.DRAFT: ("draft",),
    Ending.SUBMITTED: ("bring",),
    Ending.CORRECTING: ("bring", "tell"),
    Ending.ACCEPTED: ("bring", "accept"),
    Ending.CHECKING: ("bring", "accept", "check"),
    Ending.CHECKED: ("bring", "accept", "check", "close_check"),
    Ending.SURVEYING: ("bring", "accept", "check", "close_check", "survey"),
    Ending.SURVEYED: _TO_SURVEY,
    Ending.OPINED: (*_TO_SURVEY, "opine"),
    Ending.PUBLICISED: _TO_PUBLICITY,
    Ending.OBJECTED: (*_TO_PUBLICITY, "object"),
    Ending.AWAITING: _TO_DECISION,
    Ending.DECIDED: (*_TO_DECISION, "decide"),
}
DAYS_BEFORE = {  # how many days a step comes after the one before it
    "close_check": 1,
    "survey": 2,
    "opine": 1,
    "close_publicity": 10,
    "forward": 2,
    "find": 1,
    "object": 3,
    "decide": 1,
    "deliver": 2,
    "withdraw": 1,
    "terminate": 4,
}
WAITS = frozenset({"close_check"})
"""Steps before which the answers of the other departments must be there."""
