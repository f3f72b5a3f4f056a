"""The numbers of a report for a period: what is asked, and what was answered.

Belongs here: the questions and their answers. How a chart looks belongs to `serving.charts`, how a
page looks to `typeset`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from social_assets.control.accounts import Account
from social_assets.metrics.answer import Answer
from social_assets.metrics.grain import Grain
from social_assets.metrics.planner.question import ComparedRange, Question
from social_assets.serving.charts.figures import TileFigures, figures_of
from social_assets.serving.charts.tile import Tile
from social_assets.serving.reports.period import Period
from social_assets.serving.reports.report import Report

Ask = Callable[[Question], Answer]


@dataclass(frozen=True)
class Filled:
    """A tile and its figures."""

    tile: Tile
    answer: Answer
    figures: TileFigures


@dataclass(frozen=True)
class Section:
    """A page's heading and its tiles."""

    title: str
    tiles: tuple[Filled, ...]


@dataclass(frozen=True)
class ReportContent:
    """A report with its numbers."""

    report: Report
    period: Period
    accounts: tuple[Account, ...]
    """The accounts that it covers; empty for all."""
    headline: Answer
    sections: tuple[Section, ...]

    @property
    def made_at(self) -> datetime:
        """When its numbers were read."""
        return self.headline.asked_at

    @property
    def is_empty(self) -> bool:
        """Whether the period has no record of these accounts."""
        values = [value for row in self.headline.rows for value in row.values]
        return all(value is None or value == 0 for value in values)

    @property
    def covered(self) -> str:
        """The accounts, as a reader needs them."""
        if not self.accounts:
            return "all accounts"
        named = ", ".join(map(str, self.accounts[:_MOST_NAMED]))
        more = len(self.accounts) - _MOST_NAMED
        accounts = "account" if len(self.accounts) == 1 else "accounts"
        return f"{accounts} {named}" + (f" and {more} more" if more > 0 else "")


_MOST_NAMED = 12


def content_of(
    report: Report, period: Period, accounts: Collection[Account] | None, ask: Ask
) -> ReportContent:
    """Ask all questions of a report. Raises what `ask` raises."""
    covered = tuple(sorted(accounts or ()))
    pairs = tuple((each.platform, each.account_id) for each in covered) or None

    def asked(
        metrics: tuple[str, ...], grain: Grain, by: tuple[str, ...] = (), limit: int = 1
    ) -> Question:
        return Question(
            metrics,
            period.start,
            period.end,
            grain,
            by,
            zone=period.zone,
            limit=limit,
            accounts=pairs,
        )

    def filled(tile: Tile) -> Filled:
        grain = Grain.DAY if tile.chart.is_over_time else Grain.TOTAL
        question = asked(tile.metrics, grain, tile.by, tile.limit)
        answer = ask(replace(question, where=tile.where, with_others=tile.with_others))
        return Filled(tile, answer, figures_of(tile, answer))

    headline = replace(asked(report.headline, Grain.TOTAL), compare=ComparedRange.PREVIOUS)
    return ReportContent(
        report,
        period,
        covered,
        ask(headline),
        tuple(Section(page.title, tuple(map(filled, page.tiles))) for page in report.pages),
    )
