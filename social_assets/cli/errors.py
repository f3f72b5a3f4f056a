"""How a command ends: its exit code, and the one line that an error prints.

Belongs here: the translation of exceptions to text and exit codes. Exit codes: 0 done; 1 failed; 2
wrong command, or a load that rejected too much; 130 interrupted by Ctrl-C; 143 by SIGTERM. If the
reader closes the output (`| head`), that is not a failure.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from resources.settings.home import ENVIRONMENT_VARIABLE
from resources.settings.variables import hidden

FAILED, WRONG = 1, 2
_SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_SIGNAL_BASE = 128
"""Shells add it to the number of the signal that ended a process."""

DEBUG = "--debug"
ERRORS_FOLDER = "errors"


def run_command(command: Callable[[], object], *, is_debug: bool) -> int:
    """Run a command; print an error in one line; return the exit code."""
    with _signals() as interruption:
        return _run(command, interruption, is_debug=is_debug)


def _run(
    command: Callable[[], object],
    interruption: Callable[[], signal.Signals | None],
    *,
    is_debug: bool,
) -> int:
    try:
        command()
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _interrupted(interruption() or signal.SIGINT)
    except click.ClickException as error:
        if not isinstance(error, click.UsageError):
            error = click.UsageError(error.format_message())
        error.show()
        return WRONG
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except Exception as error:  # noqa: BLE001 - reported below, whatever it is
        if is_debug:
            click.echo(hidden("".join(traceback.format_exception(error))), err=True)
        if received := interruption():
            return _interrupted(received)
        return _report(error, is_debug=is_debug)
    return 0


def discard_output() -> None:
    """After the reader of standard output has closed it, discard further output."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _report(error: Exception, *, is_debug: bool) -> int:
    if isinstance(error, _mendable()):
        click.echo(f"Error: {hidden(str(error))}", err=True)
        return WRONG if isinstance(error, LookupError) else FAILED
    if isinstance(error, OSError) and error.errno in _ABOUT_FILES:
        click.echo(f"Error: {hidden(_said_of_file(error))}", err=True)
        return FAILED
    text = " ".join(hidden(str(error)).split()) or "no message"
    if any(told in text for told in _FULL_DISK_OF_SQLITE):
        text += "; the disk of the home is full or failing: make room and give the command again"
    click.echo(f"Error: {type(error).__name__}: {text[-700:]}{_where(error, is_debug)}", err=True)
    return FAILED


_FULL_DISK_OF_SQLITE = ("disk I/O error", "database or disk is full")

_ABOUT_FILES = {
    errno.EACCES: "set its permissions or owner, or name another folder",
    errno.EPERM: "set its permissions or owner, or name another folder",
    errno.EROFS: "it is on a read-only file system: name another folder",
    errno.ENOSPC: "the file system is full: make room and give the same command again",
    errno.EDQUOT: "the quota is used up: make room and give the same command again",
    errno.ENOTDIR: "a part of the path is no folder: correct it",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENOENT: "correct the path",
    errno.ENAMETOOLONG: "the name is too long: shorten it",
    errno.ELOOP: "links lead in a circle: correct the path",
}


def _said_of_file(error: OSError) -> str:
    # If a copy failed for lack of space, the second file is the one that was being written.
    place = error.filename2 or error.filename or "a file"
    return f"{place}: {error.strerror}; {_ABOUT_FILES[error.errno or 0]}"


def _interrupted(received: signal.Signals) -> int:
    click.echo(
        f"Interrupted by {_SIGNALS[received]}. What was done is kept; the same command again "
        "completes what was begun.",
        err=True,
    )
    return _SIGNAL_BASE + received


@contextmanager
def _signals() -> Iterator[Callable[[], signal.Signals | None]]:
    """Which signal has asked the command to end, by the operating system: libraries catch it, and
    raise errors of their own. SIGTERM ends a command as Ctrl-C does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    read_end, write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    handler = signal.getsignal(signal.SIGTERM)
    if handler == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)

    def interruption() -> signal.Signals | None:
        try:
            received = os.read(read_end, 4096)
        except BlockingIOError:
            return None
        return next((signal.Signals(each) for each in received if each in _SIGNALS), None)

    try:
        yield interruption
    finally:
        signal.set_wakeup_fd(before)
        if handler == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, handler)
        os.close(read_end)
        os.close(write_end)


def _where(error: Exception, is_debug: bool) -> str:
    """Where to find the trace: in the home's logs if there is a home, or else how to show it."""
    if is_debug:
        return ""
    logs = Path(os.environ.get(ENVIRONMENT_VARIABLE) or "/nowhere") / "logs"
    if logs.parent.is_dir() and any(logs.parent.iterdir()):
        now = datetime.now(UTC)
        file = logs / ERRORS_FOLDER / f"{now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)
            file.write_text(hidden("".join(traceback.format_exception(error))))
        except OSError as problem:
            return f" (the trace could not be written to {file}: {problem.strerror}; see {DEBUG})"
        return f" (unexpected; the trace is in {file}, or use {DEBUG})"
    return f" (unexpected; `social-assets {DEBUG} ...` shows the trace)"


def _mendable() -> tuple[type[Exception], ...]:
    """Errors whose text names thing, place and remedy, so that no trace is needed."""
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from resources.clickhouse.resource import ClickHouseAddressError, ClickHouseUnreachableError
    from resources.embedded_clickhouse.lifecycle import EmbeddedServerError
    from resources.kafka.admin import KafkaUnreachableError
    from resources.kafka.broker import KafkaBrokerError
    from resources.kafka.resource import KafkaRefusedError
    from resources.kafka.settings import KafkaSettingsError
    from resources.kafka_connect.client import ConnectError
    from resources.machine.home_machine import HomeOfAnotherMachineError
    from resources.settings.environments import EnvironmentSettingsError
    from resources.settings.home import HomePathError
    from resources.web.listening import ServeError
    from social_assets.alerts.channels import AlertUrlError
    from social_assets.cli.home_use import HomeUnusableError, NoInstallationError
    from social_assets.contracts.changes.contract_text import UnreadableContractError
    from social_assets.contracts.registry import ContractError, UnknownStreamError
    from social_assets.control.errors import (
        ControlStoreError,
        PausedAccountError,
        SecretKeyError,
        SecretTamperedError,
        UnknownApiKeyError,
        UnknownCredentialError,
        UnknownSecretError,
        UnknownTrackedAccountError,
    )
    from social_assets.features.errors import OnlineStoreError
    from social_assets.ingest.cdc.source_database import SourceDatabaseError
    from social_assets.ingest.connectors.engine.token_keeper import (
        RefreshFailedError,
        RefusedCredentialError,
    )
    from social_assets.ingest.connectors.errors import CollectionError, ConnectorDeclarationError
    from social_assets.ingest.records import FileError
    from social_assets.ingest.webhooks.registry import UnknownWebhookError
    from social_assets.lake.artifacts.publications import ArtifactStoreError
    from social_assets.lake.pinned.pinned_tables import LakeNeverStillError
    from social_assets.lake.storage.errors import LakeDiskError, LakeStoreError
    from social_assets.metrics.ask import TablesMissingError
    from social_assets.operate.capture import NoCaptureError
    from social_assets.operate.contracts.infer import CannotInferError
    from social_assets.operate.contracts.try_file import NoStreamFitsError
    from social_assets.operate.disaster.manifest import BackupError
    from social_assets.operate.load.inputs import InputError
    from social_assets.operate.query import OutputError
    from social_assets.operate.runs.backfill_plan import (
        NoDaysError,
        NoSuchAssetError,
        NoSuchDaysError,
    )
    from social_assets.operate.runs.failures import ChecksFailedError, RunFailedError
    from social_assets.pipeline.contracts.contract_in_force import ContractNotDeployedError
    from social_assets.pipeline.contracts.refused_deployment import ContractNotDeployableError
    from social_assets.pipeline.contracts.staged_rows import RowsNotConvertibleError
    from social_assets.pipeline.files.unload_requests import NotUnloadableError
    from social_assets.pipeline.rebuild_warehouse import LaterWarehouseError
    from social_assets.recommend.experiments.definition import ExperimentError
    from social_assets.serving.caching.shared_answers import CacheUrlError
    from social_assets.serving.webhooks.settings import WebhookSettingsError
    from social_assets.warehouse.dbt.project import DbtError

    return (
        AlertUrlError,
        BackupError,
        CacheUrlError,
        CannotInferError,
        ChecksFailedError,
        ClickHouseAddressError,
        ClickHouseError,
        ClickHouseUnreachableError,
        ContractError,
        ContractNotDeployableError,
        ContractNotDeployedError,
        RowsNotConvertibleError,
        UnreadableContractError,
        ConnectError,
        ControlStoreError,
        PausedAccountError,
        DbtError,
        EmbeddedServerError,
        EnvironmentSettingsError,
        ExperimentError,
        FileError,
        HomeOfAnotherMachineError,
        HomePathError,
        HomeUnusableError,
        InputError,
        KafkaBrokerError,
        KafkaRefusedError,
        LakeDiskError,
        LakeStoreError,
        ArtifactStoreError,
        LakeNeverStillError,
        LaterWarehouseError,
        KafkaSettingsError,
        KafkaUnreachableError,
        NoCaptureError,
        NoDaysError,
        NoInstallationError,
        NoStreamFitsError,
        NoSuchAssetError,
        NoSuchDaysError,
        NotUnloadableError,
        OnlineStoreError,
        OutputError,
        RunFailedError,
        ServeError,
        SecretKeyError,
        SecretTamperedError,
        TablesMissingError,
        UnknownApiKeyError,
        UnknownCredentialError,
        UnknownTrackedAccountError,
        UnknownWebhookError,
        WebhookSettingsError,
        RefreshFailedError,
        RefusedCredentialError,
        CollectionError,
        ConnectorDeclarationError,
        UnknownSecretError,
        UnknownStreamError,
        SourceDatabaseError,
    )
