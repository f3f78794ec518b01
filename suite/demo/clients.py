"""The demonstration's callers: first the district, then a town, then another department."""

from suite.clients import DISTRICT_DIVISIONS, NewClient

TOWN_DIVISION = "500112015000"
EVERYTHING = (
    "plan:read",
    "plan:report",
    "plan:publish",
    "relief:read",
    "relief:files",
    "relief:standards",
    "eldercare:read",
    "eldercare:write",
    "relief:operate",
    "eldercare:operate",
    "indicator:operate",
    "gateway:operate",
    "gateway:admin",
)
CLIENTS = (
    NewClient(
        "yubei-bureau", "渝北区民政局业务系统", "渝北区民政局", EVERYTHING, DISTRICT_DIVISIONS
    ),
    NewClient(
        "yuelai-street",
        "悦来街道办事处业务系统",
        "悦来街道办事处",
        ("plan:read", "plan:report", "relief:read", "eldercare:read", "eldercare:write"),
        (TOWN_DIVISION,),
    ),
    NewClient(
        "disabled-federation",
        "渝北区残疾人联合会数据共享",
        "渝北区残疾人联合会",
        ("plan:read", "relief:read", "eldercare:read"),
        DISTRICT_DIVISIONS,
    ),
)
