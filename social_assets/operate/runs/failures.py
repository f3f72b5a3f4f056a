"""What an operation raises when it could not be done; light, for the command line asks for it."""

from collections.abc import Iterable


class RunFailedError(RuntimeError):
    """A run failed; the text holds the message of each failed step, a line each."""


class ChecksFailedError(RuntimeError):
    """Days were made anew, and checks of them failed; the text names each."""

    def __init__(self, failed: Iterable[str]) -> None:
        names = sorted(set(failed))
        super().__init__(
            f"the days are made anew, but {len(names)} checks failed: {', '.join(names)}; "
            "`social-assets alerts show` and the UI tell the figures and reasons"
        )
