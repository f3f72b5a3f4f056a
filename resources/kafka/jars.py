"""Jars of Kafka and others: Maven copies them from Maven Central, once for each version.

Belongs here: getting them, and finding Java and Maven. Running them belongs to `kafka_broker`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from resources.machine.file_locks import exclusive_lock

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]
_POMS = (_PACKAGE / "pom.xml", _CHECKOUT / "docker" / "kafka" / "pom.xml")
"""The pinned versions: where a wheel puts them, and where the checkout has them."""
_LOG_TAIL_LINES = 15
_DOWNLOAD_SECONDS = 600.0


def java_environment() -> dict[str, str]:
    """The environment of a Java process: Java 17 reads file names by the locale's encoding."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


class KafkaBrokerError(RuntimeError):
    """The home's broker can't be started or stopped; the text says why and what to do."""


def java() -> str:
    """The Java to run: of JAVA_HOME, else of the path. Raises KafkaBrokerError if there is none."""
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if found is None or not Path(found).exists():
        raise KafkaBrokerError(
            f"no Java at {found}; check JAVA_HOME"
            if found
            else "no `java` on the path: install Java 17 or newer, or name a broker that runs "
            "elsewhere in SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS"
        )
    return found


def maven() -> str:
    """Maven's command. Raises KafkaBrokerError if there is none."""
    found = shutil.which("mvn")
    if found is None:
        raise KafkaBrokerError(
            "no `mvn` on the path: install Maven, which fetches Kafka's jars, or name a broker "
            "that runs elsewhere in SOCIAL_ASSETS_KAFKA_BOOTSTRAP_SERVERS"
        )
    return found


def ensure_jars(folder: Path, pom: Path | None = None) -> Path:
    """The folder below `folder` that holds the jars that a pom names, Kafka's if none is given.

    They are fetched if they aren't there. Whole or absent, also when processes ask at once or are
    killed. Raises KafkaBrokerError with the end of Maven's output if it fails.
    """
    pom = pom or next(path for path in _POMS if path.exists())
    jars = folder / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if jars.exists():
        return jars
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(folder / "jars.lock", _DOWNLOAD_SECONDS):
        if not jars.exists():
            _fetch(pom, jars)
    return jars


def _fetch(pom: Path, jars: Path) -> None:
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="fetching") as part:
        done = subprocess.run(
            [
                *(maven(), "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"),
                *(f"-DoutputDirectory={part}/jars", "-DincludeScope=runtime"),
            ],
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
            env=java_environment(),
        )
        if done.returncode != 0:
            tail = "\n  ".join((done.stdout + done.stderr).splitlines()[-_LOG_TAIL_LINES:])
            raise KafkaBrokerError(f"Maven could not fetch the jars of {pom}:\n  {tail}")
        (Path(part) / "jars").rename(jars)
