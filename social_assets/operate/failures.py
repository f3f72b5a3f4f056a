"""What an operation raises when it could not be done; light, for the command line asks for it."""


class RunFailedError(RuntimeError):
    """A run failed; the text holds the message of each failed step, a line each."""
