"""What the tables of a subject keep: partial sums and states, and how they are merged.

Belongs here: SQL of one aggregate, from a fact's rows and from a rollup's. Which measures there are
belongs to the subjects.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

QUANTILES = (0.5, 0.9, 0.99)
"""The levels that the states of quantiles keep (`dbt/macros/rollups/users_state.sql`)."""

RELATIVE_ERROR_OF_DISTINCT = 0.01
RELATIVE_ERROR_OF_QUANTILES = 0.01
"""The stated errors of `uniqCombined` above some thousand values (0.4 % is usual), and of
`quantilesBFloat16` (7 bits of mantissa: 0.8 %)."""


class Aggregate(Enum):
    """How rows become one value, and how values of parts become that of the whole."""

    COUNT = "count"
    SUM = "sum"
    DISTINCT = "distinct"
    QUANTILES = "quantiles"
    LEVEL = "level"
    """The newest value of each account, summed over accounts; never over time."""

    @property
    def adds_up(self) -> bool:
        """Whether the value of the whole is the sum of the values of its parts."""
        return self in (Aggregate.COUNT, Aggregate.SUM)


_STATES = {
    Aggregate.DISTINCT: "uniqCombined",
    Aggregate.QUANTILES: "quantilesBFloat16",
}
_LEVELS = {
    Aggregate.DISTINCT: "",
    Aggregate.QUANTILES: f"({', '.join(map(str, QUANTILES))})",
}

_VALUE_BITS = 38
"""Of a level's 64 bits: values below 2.7e11. The upper 26 bits hold its minute, until 2097, so that
the greatest number of an account is its newest value."""


@dataclass(frozen=True)
class Measure:
    """One column of a subject's rollups, or what the fact's rows give for it."""

    name: str
    """The column of rollups."""
    aggregate: Aggregate
    of_fact: str = ""
    """SQL of the value in a row of the fact; empty for a count."""
    counted_if: str = ""
    """SQL of the rows of the fact that count; empty for all."""

    def from_rollup(self, condition: str, *, is_final: bool) -> str:
        """SQL over rows of a rollup: the final value, or a partial one for `merged`.

        A rollup keeps a level as the fact does: the value of an account at `event_time`.
        """
        if self.aggregate is Aggregate.LEVEL:
            return self.from_fact(condition, is_final=is_final)
        if self.aggregate.adds_up:
            return f"sumIf({self.name}, {condition})" if condition else f"sum({self.name})"
        return self._state("Merge" if is_final else "MergeState", self.name, condition)

    def from_fact(self, condition: str, *, is_final: bool) -> str:
        """SQL over rows of the fact: the final value, or a partial one for `merged`."""
        conditions = " AND ".join(filter(None, (self.counted_if, condition)))
        if self.aggregate is Aggregate.COUNT:
            return f"countIf({conditions})" if conditions else "count()"
        if self.aggregate is Aggregate.SUM:
            return f"sumIf({self.of_fact}, {conditions})" if conditions else f"sum({self.of_fact})"
        if self.aggregate is Aggregate.LEVEL:
            newest = self._newest_of_accounts(conditions)
            return _sum_of_levels(newest) if is_final else newest
        return self._state("" if is_final else "State", self.of_fact, conditions)

    def merged(self, column: str) -> str:
        """SQL of the final value over partial ones in a column."""
        if self.aggregate.adds_up:
            return f"sum({column})"
        if self.aggregate is Aggregate.LEVEL:
            return _sum_of_levels(f"maxMap({column})")
        return self._state("Merge", column, "")

    def _newest_of_accounts(self, condition: str) -> str:
        """SQL of two arrays: accounts, and for each the minute and value of its newest row."""
        account = "concat(platform_key, account_key)"
        minute = "toUInt64(intDiv(toUnixTimestamp(event_time), 60))"
        packed = f"bitOr(bitShiftLeft({minute}, {_VALUE_BITS}), toUInt64({self.of_fact}))"
        function = "maxMapIf" if condition else "maxMap"
        arguments = f"[{account}], [{packed}]{f', {condition}' if condition else ''}"
        return f"{function}({arguments})"

    def _state(self, combinators: str, value: str, condition: str) -> str:
        function = f"{_STATES[self.aggregate]}{combinators}{'If' if condition else ''}"
        arguments = f"{value}, {condition}" if condition else value
        return f"{function}{_LEVELS[self.aggregate]}({arguments})"


def _sum_of_levels(newest: str) -> str:
    """SQL of the sum of the values of `_newest_of_accounts`; null if there is no account."""
    values = f"arrayMap(x -> toInt64(bitAnd(x, {(1 << _VALUE_BITS) - 1})), {newest}.2)"
    return f"if(empty({newest}.1), NULL, arraySum({values}))"
