from sqlalchemy.orm import DeclarativeBase

from chassis.database import metadata


class Base(DeclarativeBase):
    """What requests write: reported figures and published editions."""

    metadata = metadata()


class Projection(DeclarativeBase):
    """The ledger: derived from events alone, made anew by a rebuild."""

    metadata = metadata()
