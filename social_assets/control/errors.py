"""What can be wrong with the operational store. Each text names the store and the remedy.

Belongs here: only the classes, without SQLAlchemy, so that the command line can name them cheaply.
`explain` makes them from the errors of drivers.
"""

from __future__ import annotations


class ControlStoreError(RuntimeError):
    """The operational store cannot be used."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"{found}; {remedy}")
        self.found = found
        self.remedy = remedy


class ControlStoreUnreachableError(ControlStoreError):
    """The store's file cannot be opened, or its server does not answer."""


class ControlStoreLockedError(ControlStoreError):
    """Another process holds the store for longer than this one waits."""


class ControlStoreNewerError(ControlStoreError):
    """A newer release has changed the store's tables."""


class UnknownApiKeyError(LookupError):
    """No API key has this id."""


class UnknownDashboardError(LookupError):
    """No saved dashboard has this id."""


class UnknownReportScheduleError(LookupError):
    """No report schedule has this id."""


class ChangedMeanwhileError(RuntimeError):
    """Somebody else has changed what is to be saved; nothing was saved."""

    def __init__(self, what: str, based_on: int, stored: int) -> None:
        super().__init__(
            f"{what} was changed meanwhile: this change is based on version {based_on}, and "
            f"version {stored} is stored; read it again, repeat the change, and save that"
        )
        self.stored_version = stored


class ReportScheduleNameTakenError(ValueError):
    """Another report schedule has this name."""


class DeliveryTakenOverError(RuntimeError):
    """Another process has taken over a delivery whose lease was over."""


class UnknownSecretError(LookupError):
    """No secret has this name."""


class SecretKeyError(RuntimeError):
    """The key of a secret is missing, another one, or no key."""


class SecretTamperedError(RuntimeError):
    """A secret's ciphertext is not as it was stored."""


class UnknownCredentialError(LookupError):
    """No credential of a platform has this id or name."""


class UnknownTrackedAccountError(LookupError):
    """No tracked account has this name."""


class PausedAccountError(RuntimeError):
    """A tracked account is paused; the text says why, and what ends the pause."""
