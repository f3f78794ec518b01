"""Sources of the check that have not answered: missing is not zero (57号 art. 17)."""

from dataclasses import dataclass

_INCOME = frozenset({"income_below_standard", "income_below_edge"})
_MONEY = frozenset({"property_deposits"})
_SOURCES: dict[str, tuple[str, frozenset[str]]] = {
    "household_register": ("户籍", _INCOME),
    "marriage": ("婚姻登记", _INCOME),
    "funeral": ("殡葬", _INCOME),
    "tax": ("税务", _INCOME),
    "social_insurance": ("社会保险", _INCOME),
    "companies": ("市场主体登记", _INCOME | {"property_company"}),
    "housing_fund": ("住房公积金", _INCOME | _MONEY),
    "real_estate": ("不动产登记", frozenset({"property_dwellings", "property_premises"})),
    "vehicles": ("车船登记", frozenset({"property_vehicle", "property_ship"})),
    "bank": ("银行存款", _MONEY),
    "securities": ("证券", _MONEY),
    "insurance": ("商业保险", _MONEY),
    "internet_finance": ("互联网金融资产", _MONEY),
    "payment": ("非银行支付机构", _MONEY),
}


@dataclass(frozen=True, slots=True)
class Gap:
    """One member's answer that is missing from one source."""

    member: str
    source: str
    who: str

    @property
    def name(self) -> str:
        known = _SOURCES.get(self.source)
        return f"{self.who}的{known[0] if known else self.source}信息"

    def touches(self, code: str) -> bool:
        """Whether the answer could change that condition; of an unknown source, any."""
        known = _SOURCES.get(self.source)
        return known is None or code in known[1]
