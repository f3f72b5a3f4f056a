"""The cases of `make prove` keep up with the code: what they take away stands there, once."""

from pathlib import Path

import pytest

from bench.proof import CASES
from bench.proof_case import Case

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_case_takes_away_stands_once_and_its_tests_exist(case: Case) -> None:
    assert (CHECKOUT / case.file).read_text().count(case.old) == 1
    for named in case.named_tests:
        file, _, function = named.partition("::")
        function = function.partition("[")[0]
        assert (CHECKOUT / file).exists()
        assert not function or f"def {function}(" in (CHECKOUT / file).read_text()
