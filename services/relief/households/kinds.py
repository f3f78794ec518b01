"""The words that the household's records are kept in."""

from enum import StrEnum


class FactKind(StrEnum):
    """What a fact is about: of the first ones one holds at a time, of the last four many."""

    ADDRESS = "address"  # 居住地址; kept sealed, beside the value
    MEMBERSHIP = "membership"  # 家庭成员的进出
    PERSON = "person"  # 与申请人的关系、出生日期
    EDUCATION = "education"  # 就学
    DISABILITY = "disability"  # 残疾
    HEALTH = "health"  # 重病、长期卧床
    WORK = "work"  # 劳动能力、就业
    LIVING = "living"  # 独立生活能力、共同生活、法定义务
    CLERGY = "clergy"  # 宗教教职
    ABSENCE = "absence"  # 服刑、强制隔离戒毒、失踪、服役
    REQUEST = "request"  # 单独提出申请、特殊困难
    DOMICILE = "domicile"  # 户籍地
    RESIDENCE = "residence"  # 经常居住地
    EDGE_PROPERTY = "edge_property"  # 低保边缘家庭财产认定
    INCOME = "income"  # 收入
    PROPERTY = "property"  # 财产
    CONSUMPTION = "consumption"  # 消费
    SUPPORT = "support"  # 家庭以外义务人的收入


MANY = frozenset({FactKind.INCOME, FactKind.PROPERTY, FactKind.CONSUMPTION, FactKind.SUPPORT})
"""Of these several hold beside each other: each for itself, of support one of each supporter."""


class LeaveReason(StrEnum):
    """Why somebody is no longer of the household."""

    DEATH = "death"  # 死亡
    MOVED_OUT = "moved_out"  # 迁出、分户
    MARRIAGE = "marriage"  # 结婚离家
    DIVORCE = "divorce"  # 离婚
    ADOPTION = "adoption"  # 被收养
    PRISON = "prison"  # 服刑
    REHABILITATION = "rehabilitation"  # 强制隔离戒毒
    MISSING = "missing"  # 宣告失踪
    CLERGY = "clergy"  # 出家
    MILITARY = "military"  # 服役
    SUPPORTED_ELSEWHERE = "supported_elsewhere"  # 另行供养
    ERROR = "error"  # 登记有误


class JoinReason(StrEnum):
    """How somebody came to belong to the household."""

    DECLARED = "declared"  # 初次申报
    BIRTH = "birth"  # 出生
    MARRIAGE = "marriage"  # 结婚
    ADOPTION = "adoption"  # 收养
    MOVED_IN = "moved_in"  # 迁入
    RETURNED = "returned"  # 刑满、退役等返回


class RelativeOf(StrEnum):
    """With whom a near relative (近亲属) of a member works (57号 art. 11)."""

    STAFF = "staff"  # 社会救助经办人员
    VILLAGE_COMMITTEE = "village_committee"  # 村（居）民委员会成员


class ClaimRole(StrEnum):
    APPLICANT = "applicant"  # 申请人
    MEMBER = "member"  # 共同生活的家庭成员


class ClaimState(StrEnum):
    OPEN = "open"  # 申请办理中
    AWARDED = "awarded"  # 在保
    CLOSED = "closed"  # 已了结
