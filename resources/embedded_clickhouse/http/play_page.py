"""The page at /play: a query, its result as a table. Nothing of it comes from elsewhere.

What a query returns is put into the page as text. The password stays in the page's memory.
"""

from __future__ import annotations

import base64
import hashlib

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; }
textarea { width: 100%; height: 8rem; font: 13px/1.4 monospace; box-sizing: border-box; }
table { border-collapse: collapse; margin-top: 1rem; }
th, td { border: 1px solid #bbb; padding: .15rem .5rem; text-align: left; white-space: pre-wrap; }
th { background: #eee; } #told { white-space: pre-wrap; margin: .7rem 0; }
"""

_SCRIPT = """
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
  for (const values of result.data) {
    const row = table.insertRow();
    for (const value of values) add(row, 'td', value);
  }
  element('result').replaceChildren(table);
  element('told').textContent = result.data.length + ' rows shown of ' + result.rows;
}
async function run() {
  element('result').replaceChildren();
  element('told').textContent = 'running ...';
  try {
    const asked = 'default_format=JSONCompact&wait_end_of_query=1'
      + '&max_result_rows=1000&result_overflow_mode=break';
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
<style>{_STYLE}</style></head><body>
<form id="form">
<p>User <input id="user" value="default" autocomplete="username">
Password <input id="password" type="password" autocomplete="current-password">
(in the file <code>clickhouse/password</code> of the home)</p>
<textarea id="query" spellcheck="false">SELECT database, name, engine, total_rows
FROM system.tables WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')
</textarea>
<p><button>Run</button> Ctrl+Enter; at most about 1,000 rows are shown.</p>
</form>
<div id="told"></div><div id="result"></div>
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
