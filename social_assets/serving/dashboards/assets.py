"""The scripts and styles of the pages, under a path that names their content.

Belongs here: reading and making them. A path changes with the content, so that browsers and
proxies keep an answer for good. The Vega bundle is made by `vl-convert` once a version and kept in
a folder, since making it takes four seconds.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from social_assets.serving.charts.theme import THEMES, configuration

_STATIC = Path(__file__).parent / "static"
_VEGA = "vega.js"
_EXPORTS = "window.vegaEmbed = vegaEmbed;"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """One file, as it is and compressed."""

    content: bytes
    media_type: str

    @cached_property
    def compressed(self) -> bytes:
        """With gzip."""
        return gzip.compress(self.content, 6, mtime=0)


class Assets:
    """The files of the pages; `folder` keeps the Vega bundle from one start to the next."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {
            path.name: Asset(path.read_bytes(), _TYPES[path.suffix])
            for path in sorted(_STATIC.iterdir())
            if path.suffix in _TYPES
        }
        themes = {each.name: configuration(each) for each in THEMES}
        self._files["themes.json"] = Asset(json.dumps(themes).encode(), _TYPES[".json"])

    @cached_property
    def digest(self) -> str:
        """Names the content of all files."""
        found = hashlib.sha256(version("vl-convert-python").encode())
        for name, asset in sorted(self._files.items()):
            found.update(name.encode() + b"\0" + asset.content)
        return found.hexdigest()[:16]

    def find(self, name: str) -> Asset | None:
        """A file; the first call for the Vega bundle may take seconds."""
        if name == _VEGA and name not in self._files:
            self._files[name] = Asset(self._vega(), _TYPES[".js"])
        return self._files.get(name)

    def _vega(self) -> bytes:
        kept = self._folder / f"vega-{version('vl-convert-python')}.js"
        if kept.exists():
            return kept.read_bytes()
        import vl_convert

        content = vl_convert.javascript_bundle(_EXPORTS).encode()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = kept.with_name(f".{kept.name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(kept)
        return content
