"""The mutation cases match the code: the text that each removes occurs once."""

from pathlib import Path

import pytest

from tests.mutation.case import Case
from tests.mutation.run import CASES

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_case_takes_away_stands_once_and_its_tests_exist(case: Case) -> None:
    assert (CHECKOUT / case.file).read_text().count(case.old) == 1
    for named in case.named_tests:
        file, _, function = named.partition("::")
        function = function.partition("[")[0]
        assert (CHECKOUT / file).exists()
        assert not function or f"def {function}(" in (CHECKOUT / file).read_text()
