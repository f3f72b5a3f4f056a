"""What runs write to the console: their events as lines, from a level on.

Here belongs the Dagster logger. The UI shows every event whatever the level is; the form and the
level of our own log lines are `logs`'.
"""

from __future__ import annotations

import logging

from dagster import (
    Field,
    InitLoggerContext,
    LoggerDefinition,
    colored_console_logger,
    json_console_logger,
)

from resources.log_files.handler import FileLines
from resources.settings.logs import is_json, log_level


def run_console() -> LoggerDefinition:
    """Dagster's console logger in the form and at the level that the environment asks for.

    It also writes to the home's log files, if this process does.

    Run config may change the level of a run. A run whose config names no logger uses it as well
    (`default_console`).
    """
    base = json_console_logger if is_json() else colored_console_logger

    def console_and_files(context: InitLoggerContext) -> logging.Logger:
        made = base.logger_fn(context)
        for handler in made.handlers:
            handler.setLevel(max(handler.level, made.level))
        for handler in logging.getLogger().handlers:
            if isinstance(handler, FileLines):
                made.setLevel(min(made.level, handler.level))
                made.addHandler(handler)
        return made

    return LoggerDefinition(
        console_and_files,
        config_schema={
            "log_level": Field(str, is_required=False, default_value=log_level()),
            "name": Field(str, is_required=False, default_value="dagster"),
        },
        description=base.description,
    )
