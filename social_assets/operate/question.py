"""Questions about metrics, for the command line.

Belongs here: asking the home's warehouse. What a question means belongs to `metrics`.
"""

from __future__ import annotations

from datetime import UTC, datetime

from resources.clickhouse.resource import ClickHouseResource
from social_assets.metrics.answer import Answer
from social_assets.metrics.ask import ask
from social_assets.metrics.planner.read_question import Texts, read_question

COMMENT = "social-assets query"


def answer_to(texts: Texts) -> Answer:
    """The answer to what the texts ask now. Raises QuestionError, and clickhouse-connect's."""
    question = read_question(texts, datetime.now(UTC))
    with ClickHouseResource().client(COMMENT) as client:
        return ask(client, question)
