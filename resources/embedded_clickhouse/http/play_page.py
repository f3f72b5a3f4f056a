"""The page at /play: runs a query and shows its result as a table. It loads no other file.

The page inserts results as text, never as HTML. It keeps the password in its memory only.
"""

from __future__ import annotations

import base64
import hashlib

_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1b2230; --line: #c3c9d3; --head: #eef1f5; }
@media (prefers-color-scheme: dark) {
  :root { --back: #12151b; --text: #e8ebf0; --line: #3d4755; --head: #1f2630; }
}
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 90rem;
  background: var(--back); color: var(--text); }
p { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; margin: 0 0 .8rem; }
label { display: flex; flex-wrap: wrap; gap: .2rem .5rem; align-items: baseline; }
input, textarea, button { font: inherit; color: inherit; background: var(--back);
  border: 1px solid var(--line); border-radius: 4px; padding: .3rem .5rem; max-width: 100%; }
textarea { width: 100%; height: 8rem; font: 14px/1.4 monospace; margin-bottom: .8rem; }
button { padding: .3rem 1rem; background: var(--head); cursor: pointer; }
#result { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .15rem .5rem; text-align: left;
  white-space: pre-wrap; }
th { background: var(--head); }
#told { white-space: pre-wrap; overflow-wrap: anywhere; margin: .7rem 0; }
"""

_SCRIPT = """
const SHOWN = 1000;
const element = (name) => document.getElementById(name);
function add(row, kind, text) {
  const cell = document.createElement(kind);
  cell.textContent = typeof text === 'object' ? JSON.stringify(text) : String(text);
  row.append(cell);
}
function show(result) {
  const table = document.createElement('table');
  const head = table.insertRow();
  for (const column of result.meta) add(head, 'th', column.name + ' ' + column.type);
  for (const values of result.data.slice(0, SHOWN)) {
    const row = table.insertRow();
    for (const value of values) add(row, 'td', value);
  }
  element('result').replaceChildren(table);
  element('told').textContent = result.data.length > SHOWN
    ? 'The first ' + SHOWN + ' rows; the result has more.'
    : result.data.length + (result.data.length === 1 ? ' row' : ' rows');
}
async function run() {
  element('result').replaceChildren();
  element('told').textContent = 'running ...';
  try {
    const asked = 'default_format=JSONCompact&wait_end_of_query=1'
      + '&max_result_rows=1001&result_overflow_mode=break'
      + '&output_format_json_quote_64bit_integers=1&output_format_json_quote_denormals=1';
    const answer = await fetch('/?' + asked, {
      method: 'POST',
      headers: {
        'X-ClickHouse-User': element('user').value,
        'X-ClickHouse-Key': element('password').value,
      },
      body: element('query').value,
    });
    const text = await answer.text();
    const isTable = answer.ok && answer.headers.get('X-ClickHouse-Format') === 'JSONCompact';
    if (isTable && text) show(JSON.parse(text));
    else element('told').textContent = text || 'done';
  } catch (error) {
    element('told').textContent = 'no answer: ' + error.message;
  }
}
element('form').addEventListener('submit', (event) => { event.preventDefault(); run(); });
element('query').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run();
});
"""

PLAY_PAGE = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Embedded ClickHouse</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style></head><body>
<form id="form">
<p><label>User <input id="user" value="default" autocomplete="username"></label>
<label>Password <input id="password" type="password" autocomplete="current-password"></label>
<span>The password is in the file <code>clickhouse/password</code> of the home.</span></p>
<textarea id="query" aria-label="Query" spellcheck="false">SELECT database, name, engine, total_rows
FROM system.tables WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')
</textarea>
<p><button>Run</button> <span>or Ctrl+Enter; the page shows at most 1,000 rows.</span></p>
</form>
<div id="told" role="status"></div><div id="result"></div>
<script>{_SCRIPT}</script></body></html>
"""


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


PLAY_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'sha256-{_digest(_SCRIPT)}'; "
        f"style-src 'sha256-{_digest(_STYLE)}'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
