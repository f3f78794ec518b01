from sqlalchemy.orm import DeclarativeBase

from chassis.database import metadata


class Base(DeclarativeBase):
    metadata = metadata()
