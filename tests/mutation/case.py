"""A mutation case: one behaviour that is removed, and the tests of which one must fail.

Belongs here: the type. The cases stand in `cases_of_*`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`old` occurs once in `file` and is replaced by `new`; then one of `tests` must fail.

    `item` is that of the issue, such as `5.1 backfills`; `what` describes the lost behaviour.
    `tests` are pytest's names of tests, separated by blanks.
    """

    item: str
    what: str
    file: str
    old: str
    new: str
    tests: str

    @property
    def name(self) -> str:
        """Item and lost behaviour."""
        return f"{self.item}: {self.what}"

    @property
    def named_tests(self) -> list[str]:
        """The tests, each by its name."""
        return self.tests.split()
