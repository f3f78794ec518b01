from sqlalchemy.orm import DeclarativeBase

from chassis.database import COLUMN_TYPES, metadata


class Base(DeclarativeBase):
    metadata = metadata()
    type_annotation_map = COLUMN_TYPES
