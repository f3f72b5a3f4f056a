"""The pages of the gates in front of our servers: sign-in needed, refused, signed in.

Belongs here: their look and their advice. They load nothing, so that they work without a token.
The gates decide which one is shown.
"""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """What a server is called, and how a person gets to it."""

    name: str
    print_url: str
    """The command that prints the address with the token."""
    start: str
    """The command that starts it."""


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} - social-assets</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer">
<style>
:root {{ color-scheme: light dark; --back:#f5f6f8; --card:#fff; --text:#1b2230; --soft:#5a6474;
  --line:#dde1e8; --code:#eef1f5; --mark:{mark}; }}
@media (prefers-color-scheme: dark) {{ :root {{ --back:#12151b; --card:#1b2029; --text:#e8ebf0;
  --soft:#a3adbc; --line:#303846; --code:#11151c; --mark:{mark_dark}; }} }}
* {{ box-sizing:border-box; }}
body {{ margin:0; min-height:100vh; display:grid; place-items:center; padding:24px;
  background:var(--back); color:var(--text);
  font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif; }}
main {{ width:100%; max-width:560px; background:var(--card); border:1px solid var(--line);
  border-top:4px solid var(--mark); border-radius:10px; padding:28px; }}
h1 {{ font-size:1.35rem; line-height:1.3; margin:0 0 12px; }}
p {{ margin:0 0 14px; overflow-wrap:anywhere; }}
.status {{ color:var(--soft); font-size:.85rem; margin:0 0 6px; }}
code,pre {{ font:.92rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace; }}
pre {{ background:var(--code); border:1px solid var(--line); border-radius:6px; padding:12px;
  margin:0 0 14px; white-space:pre-wrap; overflow-wrap:anywhere; }}
.soft {{ color:var(--soft); font-size:.92rem; margin:0; }}
</style></head><body><main><p class="status">{status} &middot; social-assets</p>
<h1>{title}</h1>{body}</main></body></html>"""


def sign_in_page(site: Site) -> str:
    """The page for a missing or wrong token."""
    return _page(
        "401",
        f"Sign in to the {site.name}",
        "<p>This browser has not shown the token of this installation. Run this command in a "
        "terminal, and open the address that it prints:</p>"
        f"<pre>{html.escape(site.print_url)}</pre>"
        '<p class="soft">Add <code>--home</code> or <code>--port</code> as you gave them to '
        f"<code>{html.escape(site.start)}</code>. Programs send the header "
        "<code>Authorization: Bearer &lt;token&gt;</code>.</p>",
        ("#2f6fed", "#6f9dff"),
    )


def refused_page(status: int, reason: str, remedy: str) -> str:
    """The page for a request that is not allowed, whoever sends it."""
    return _page(
        str(status),
        "The request is refused",
        f"<p>{html.escape(reason)}.</p><p>{html.escape(remedy)}</p>"
        '<p class="soft">Nothing was read or changed.</p>',
        ("#c9372c", "#ff8f85"),
    )


def continue_page(site: Site, path: str) -> str:
    """Go on to a path by a navigation of our own, which sends the cookie as one from elsewhere
    does not (SameSite=Strict).
    """
    target, name = html.escape(path, quote=True), html.escape(site.name)
    return (
        '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0;url={target}"><title>{name}</title>'
        f'<p><a href="{target}">Continue to the {name}</a></p>'
    )


def _page(status: str, title: str, body: str, mark: tuple[str, str]) -> str:
    light, dark = mark
    return _PAGE.format(status=status, title=title, body=body, mark=light, mark_dark=dark)
