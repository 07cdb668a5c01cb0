"""A value held against a limit: which side of it is good, and how far away it is."""

from enum import StrEnum


class Comparison(StrEnum):
    """A value at its limit keeps it."""

    AT_MOST = "at_most"
    AT_LEAST = "at_least"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")

    def margin(self, value: float, limit: float) -> float:
        """How far the value lies on the good side of the limit, negative where it does not."""
        return limit - value if self is Comparison.AT_MOST else value - limit
