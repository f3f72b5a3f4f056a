"""`social-assets webhooks ...`: receive what the platforms push. Only parses and prints.

A secret is read from the terminal without echo, or from standard input: never from an argument,
which other users and the shell's history could see.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from social_assets.cli.home_use import makes_control, makes_home, reads_control
from social_assets.cli.printing.terminal import FORM, echo, print_rows

if TYPE_CHECKING:
    from resources.settings.home import Home
    from social_assets.control.collection.webhook_secrets import WebhookSecretStore


@click.group(short_help="Receive what the platforms push.")
def webhooks() -> None:
    """Webhooks: the receiver, its secrets, and the URLs to give to the platforms."""


@webhooks.command()
@click.option("--port", type=click.IntRange(1, 65_535), default=8090, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="One a core."
)
@makes_home
def serve(home: Home, *, port: int, host: str, processes: int) -> None:
    """Receive webhooks until Ctrl-C. A delivery is answered 200 when its events are durable.

    With Kafka they are in its topics by then; without, in a file of the landing folder. The
    platforms need https and a public name: put a proxy in front, which keeps the Host header, and
    set SOCIAL_ASSETS_WEBHOOKS_URL.
    """
    from social_assets.serving.webhooks.processes import serve_in_processes
    from social_assets.serving.webhooks.server import serve_webhooks
    from social_assets.serving.webhooks.settings import WebhookSettings

    settings = WebhookSettings.from_environment(home, host, port)

    def announce() -> None:
        where = "the topics of Kafka" if settings.kafka else f"files in {home.landing}"
        echo(
            f"Webhooks     http://{host}:{port}/webhooks/..., into {where}\n"
            "Ctrl-C ends the receiver."
        )

    if processes == 1:
        serve_webhooks(settings, announce)
    else:
        serve_in_processes(settings, processes, announce)


@webhooks.command()
@click.argument("platform")
@makes_control
def secret(home: Home, platform: str) -> None:
    """Store what PLATFORM signs with. Asks for it, or reads it from a pipe.

    It is the app secret (Instagram, Facebook), the consumer secret (X) or the client secret
    (TikTok). For YouTube make one up: it is the secret of your subscriptions.
    """
    from social_assets.ingest.webhooks.registry import webhook_of

    webhook = webhook_of(platform)
    value = _asked(webhook.secret_is)
    try:
        _stored(home).put_secret(webhook.platform, value)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    echo(f"stored the {webhook.secret_is} of {webhook.platform}")


@webhooks.command("verify-token")
@click.argument("platform")
@makes_control
def verify_token(home: Home, platform: str) -> None:
    """Store the token by which PLATFORM verifies the URL. Asks for it, or reads it from a pipe.

    You make it up, and give it to Instagram and Facebook in the settings of the app, to YouTube's
    hub with each subscription.
    """
    from social_assets.ingest.webhooks.registry import webhook_of

    webhook = webhook_of(platform)
    if not webhook.has_verify_token:
        raise click.UsageError(f"{webhook.platform} has no verify token: it needs only the secret")
    value = _asked("verify token")
    try:
        _stored(home).put_verify_token(webhook.platform, value)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    echo(f"stored the verify token of {webhook.platform}")


@webhooks.command()
@click.option("--base-url", help="Where the platforms find the receiver, as https://host.")
@FORM
@reads_control
def urls(home: Home, base_url: str | None, form: str) -> None:
    """List the URLs to give to the platforms, and what is stored for each."""
    from social_assets.ingest.webhooks.registry import WEBHOOKS
    from social_assets.serving.webhooks.settings import PUBLIC_URL, WebhookSettingsError, public_url

    try:
        base = public_url(base_url)
    except WebhookSettingsError as error:
        raise click.UsageError(str(error)) from None
    store = _stored(home)
    rows = []
    for webhook in WEBHOOKS:
        has_secret, has_token = store.stored(webhook.platform)
        token = _told(has_token) if webhook.has_verify_token else "not needed"
        url = f"{base or ''}{webhook.path}"
        rows.append((webhook.platform, url, webhook.secret_is, _told(has_secret), token))
    print_rows(("platform", "url", "signs_with", "secret", "verify_token"), rows, form)
    if base is None and form == "table":
        echo(f"Put your public address in front: set {PUBLIC_URL}, or --base-url https://host.")


def _asked(what: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    return sys.stdin.read().rstrip("\r\n")


def _told(is_stored: bool) -> str:
    return "stored" if is_stored else "missing"


def _stored(home: Home) -> WebhookSecretStore:
    from social_assets.control.collection.webhook_secrets import WebhookSecretStore
    from social_assets.control.engine import open_engine

    return WebhookSecretStore(open_engine(home), home)
