"""The errors of operations. Light, because the command line imports it."""

from collections.abc import Iterable

from social_assets.quality.counted import counted


class RunFailedError(RuntimeError):
    """A run failed; the text has the message of each failed step, one line each."""


class ChecksFailedError(RuntimeError):
    """Days were rebuilt, and checks of them failed; the text names each."""

    def __init__(self, failed: Iterable[str]) -> None:
        names = sorted(set(failed))
        super().__init__(
            f"the days are made anew, but {counted(len(names), 'check')} failed: "
            f"{', '.join(names)}; `social-assets alerts show` and the UI tell the figures and "
            "reasons"
        )
