"""Standards of 低保 as a county's clerk sets them, in one transaction: most tests begin so."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from contracts.events.relief import Area, StandardCode
from services.relief.standards.schemas import StandardSet
from services.relief.standards.service import set_standard
from tests.support.services import Running


async def set_standards(
    relief: Running, county: str, published: Sequence[tuple[str, str, str]]
) -> None:
    """`published` are (day, urban, rural), in yuan a person and month."""
    register = await relief.runtime.places.register()
    units = await relief.runtime.places.everywhere()
    async with relief.runtime.database.transaction(
        actor="setter", organisation="民政局", units=units
    ) as session:
        for day, *amounts in published:
            for area, amount in zip((Area.URBAN, Area.RURAL), amounts, strict=True):
                asked = StandardSet(
                    code=StandardCode.DIBAO,
                    area=area,
                    division=county,
                    amount=Decimal(amount),
                    valid_from=date.fromisoformat(day),
                    document=f"渝民发〔{day[:4]}〕1号",
                )
                await set_standard(session, register=register, units=units, asked=asked)
