"""What the errors of Meta's Graph API mean: for Facebook and Instagram."""

from __future__ import annotations

from social_assets.ingest.connectors.declaration.limits import Scope
from social_assets.ingest.connectors.declaration.meanings import AnswerRule, Meaning, codes

META_RULES = (
    AnswerRule(Meaning.TOO_MUCH, at="error.message", like="reduce the amount of data"),
    AnswerRule(Meaning.THROTTLED, at="error.code", among=codes(4), scope=Scope.APP),
    AnswerRule(
        Meaning.THROTTLED, at="error.code", among=codes(17, 32, 341, 613, range(80000, 80015))
    ),
    # The subcodes of 190 that no renewal mends: password changed, app removed, account locked.
    AnswerRule(Meaning.TOKEN_REVOKED, at="error.error_subcode", among=codes(458, 459, 460, 464)),
    AnswerRule(Meaning.TOKEN_EXPIRED, at="error.code", among=codes(102, 190)),
    # Media from before the account was a business, and stories with few viewers.
    AnswerRule(Meaning.NOTHING_HERE, at="error.error_subcode", among=codes(2108006)),
    AnswerRule(Meaning.NOTHING_HERE, at="error.message", like="Not enough viewers"),
    AnswerRule(Meaning.ACCOUNT_GONE, at="error.error_subcode", among=codes(2207013)),
    AnswerRule(Meaning.BAD_METRIC, at="error.message", like="(?i)valid insights? metric|metric\\["),
    AnswerRule(Meaning.CURSOR_EXPIRED, at="error.message", like="(?i)cursor"),
    AnswerRule(Meaning.ACCOUNT_GONE, at="error.error_subcode", among=codes(33)),
    AnswerRule(Meaning.ACCOUNT_GONE, at="error.code", among=codes(803)),
    AnswerRule(Meaning.ACCOUNT_PRIVATE, at="error.code", among=codes(3, 10, range(200, 300))),
    AnswerRule(Meaning.TRANSIENT, at="error.is_transient", among=codes("True")),
    AnswerRule(Meaning.TRANSIENT, at="error.code", among=codes(1, 2)),
)
"""The first rule that fits applies."""
