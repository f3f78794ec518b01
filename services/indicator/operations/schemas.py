from datetime import datetime

from pydantic import BaseModel, Field


class DeadLetterView(BaseModel):
    """一个被搁置的事件，不含其内容。"""

    consumer: str = Field(description="消费者")
    seq: int
    topic: str
    key: str = Field(description="事件的键；同一键的后续事件排在其后")
    reason: str
    parked_at: datetime


class DeadLetterList(BaseModel):
    items: list[DeadLetterView]


class ReplayResult(BaseModel):
    """重新处理的结果。"""

    applied: int = Field(description="已处理的事件数")
    left: int = Field(description="仍被搁置的键数")
