"""What every contract model shares: producers forbid unknown fields, consumers ignore them."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

UnitId = Annotated[int, Field(ge=100_000_000_000, le=999_999_999_999)]
"""Stable id of a unit (区划单位): the 12-digit code under which it first entered the register."""


class Contract(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, serialize_by_alias=True
    )

    @classmethod
    def read(cls, data: bytes | str) -> Self:
        """Parse what somebody published, ignoring fields of later versions."""
        return cls.model_validate_json(data, extra="ignore")

    def void(self) -> Self:
        """What is told of something of which there is nothing any more: consumers then count none.

        Itself, where what was told stays true.
        """
        return self
