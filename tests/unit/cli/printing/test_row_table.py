"""Tables keep values whole in a pipe; a terminal gets folded text and whole figures."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from social_assets.cli.printing.row_table import RowTable

LONG = "x" * 500


def table(
    names: Sequence[str], *blocks: Sequence[Sequence[object]], width: int | None = None
) -> list[str]:
    """The printed lines."""
    printed: list[str] = []
    shown = RowTable(names, width, printed.append)
    for block in blocks:
        shown.add(block)
    shown.end()
    return "".join(printed).splitlines()


def test_in_a_pipe_no_value_is_cut_or_folded() -> None:
    assert table(["text", "n"], [(LONG, 1)])[1] == f"{LONG}  1"


def test_figures_are_right_aligned_under_their_name() -> None:
    assert table(["what", "rows"], [("a", 5), ("b", 12345)]) == [
        "what   rows",
        "a         5",
        "b     12345",
    ]


def test_on_a_terminal_text_is_folded_and_figures_are_whole() -> None:
    lines = table(["text", "n"], [("word " * 30, 12345678901234567890)], width=60)
    assert max(map(len, lines)) <= 60
    assert any("12345678901234567890" in line for line in lines)
    assert "".join(line[:38].strip() for line in lines[1:]).count("word") == 30


def test_what_does_not_fit_a_terminal_is_a_line_a_column() -> None:
    names = [f"column_{n}" for n in range(20)]
    lines = table(names, [tuple(range(10**9, 10**9 + 20))], width=80)
    assert lines[0] == "-- 1 --"
    assert lines[1] == "column_0   1000000000"
    assert lines[20] == "column_19  1000000019"


def test_a_later_block_with_longer_values_is_whole() -> None:
    assert table(["a", "b"], [("x", 1)], [(LONG, 2)])[2] == f"{LONG}  2"


def test_a_value_can_not_steer_the_terminal() -> None:
    assert table(["a"], [("\x1b[2J\n",)]) == ["a", r"\x1b[2J\n"]


def test_without_rows_the_names_are_shown() -> None:
    assert table(["a", "b"]) == ["a  b"]


@pytest.mark.parametrize("width", [80, None])
def test_a_key_hash_is_hex(width: int | None) -> None:
    assert table(["key"], [(b"\x00\xff" * 8,)], width=width)[1] == "00ff" * 8
