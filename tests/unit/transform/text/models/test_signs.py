"""What a text shows apart from its words."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from social_assets.transform.text.models.signs import SIGNS, signs


def test_tone_marks_and_links_are_told_apart() -> None:
    good, bad, none = signs(["great service", "terrible service", "der Flug"])
    assert good[0] > 0 == good[1]
    assert bad[1] > 0 == bad[0]
    assert none[:3].tolist() == [0, 0, np.float32(0.7)]
    asked, loud, linked = signs(["why??", "WHY NOT!", "see https://example.org 12"])
    assert asked[4] > 0 == asked[5]
    assert loud[5] > 0 < loud[6]
    assert linked[7] > 0 < linked[8]


def test_no_texts_have_no_rows() -> None:
    assert signs([]).shape == (0, SIGNS)


@given(st.lists(st.text(min_size=1).filter(lambda text: not text.isspace()), max_size=5))
def test_any_text_has_finite_signs(texts: list[str]) -> None:
    found = signs([*texts, "\ud800"])
    assert found.shape == (len(texts) + 1, SIGNS)
    assert np.isfinite(found).all()
