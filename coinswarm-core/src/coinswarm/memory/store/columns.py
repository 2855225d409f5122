"""What the tables are made of: the base of all models, and kinds of columns that both databases hold alike.

Times are nanoseconds since the epoch, money is 1e-8 of the settlement currency, shares are basis points or millionths:
whole numbers of 64 bits. Prices are decimals as text. Nothing that is hashed or signed is ever a float.
"""

from __future__ import annotations

from typing import Annotated

from sqlalchemy import BigInteger, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name that a migration can say."""


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(naming_convention=NAMING)


LogId = Annotated[int, mapped_column(Integer, primary_key=True)]
"""Whose row it is: a cluster's shard, as ``log.id``."""

Key = Annotated[str, mapped_column(Text, primary_key=True)]
NumberKey = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=False)]
Words = Annotated[str, mapped_column(Text)]
Number = Annotated[int, mapped_column(BigInteger)]
MaybeNumber = Annotated[int | None, mapped_column(BigInteger)]
