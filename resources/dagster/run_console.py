"""What runs write to the console: their events as lines, from a level on.

Here belongs the Dagster logger. The UI shows every event whatever the level is; the form and the
level of our own log lines are `logs`'.
"""

from __future__ import annotations

from dagster import Field, LoggerDefinition, colored_console_logger, json_console_logger

from resources.settings.logs import is_json, log_level


def run_console() -> LoggerDefinition:
    """Dagster's console logger in the form and at the level that the environment asks for.

    Run config may change the level of a run. A run whose config names no logger uses it as well
    (`default_console`).
    """
    base = json_console_logger if is_json() else colored_console_logger
    return LoggerDefinition(
        base.logger_fn,
        config_schema={
            "log_level": Field(str, is_required=False, default_value=log_level()),
            "name": Field(str, is_required=False, default_value="dagster"),
        },
        description=base.description,
    )
