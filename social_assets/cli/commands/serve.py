"""`social-assets serve`: dashboards and API. Only parses and prints."""

from __future__ import annotations

import click

from resources.settings.home import Home
from social_assets.cli.home_use import makes_home
from social_assets.cli.printing.terminal import echo

_STANDARD_INPUT = 0


@click.command(short_help="Serve dashboards and API.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8080, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--print-url", "is_printed", is_flag=True, help="Only print the sign-in address.")
@click.option("--ends-with-input", "ends_with_input", is_flag=True, hidden=True)
@makes_home
def serve(home: Home, *, port: int, host: str, is_printed: bool, ends_with_input: bool) -> None:
    """Serve the dashboards and the API (/api/v1, described at /docs) until Ctrl-C.

    A browser signs in by the address that is printed; keep it to yourself. Programs need a key of
    `social-assets keys create`.
    """
    from resources.web.token import login_url, ui_token

    address = login_url(f"http://127.0.0.1:{port}", ui_token(home))
    if is_printed:
        echo(address)
        return
    from social_assets.serving.server import serve as serve_app
    from social_assets.serving.settings import ServeSettings

    def announce() -> None:
        if not ends_with_input:
            echo(
                f"Dashboards   {address}\nAPI          http://127.0.0.1:{port}/docs\n"
                "Ctrl-C ends the server."
            )

    settings = ServeSettings.from_environment(home, host, port)
    serve_app(settings, announce, _STANDARD_INPUT if ends_with_input else None)
