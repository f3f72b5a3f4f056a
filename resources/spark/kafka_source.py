"""What Spark needs to read Kafka: its jars, and how to reach the brokers.

Belongs here: getting the jars, and the options of Spark's source `kafka`. Certificates and keys are
given as text, so that executors need no file. Which offsets are read belongs to the pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from resources.kafka.jars import ensure_jars

_PACKAGE = Path(__file__).resolve().parent
_POMS = (_PACKAGE / "pom.xml", _PACKAGE.parents[1] / "docker" / "spark" / "pom.xml")
_SAME = ("bootstrap.servers", "sasl.mechanism")
_FILES = {
    "ssl.ca.location": ("ssl.truststore.type", "ssl.truststore.certificates"),
    "ssl.certificate.location": ("ssl.keystore.type", "ssl.keystore.certificate.chain"),
    "ssl.key.location": ("ssl.keystore.type", "ssl.keystore.key"),
}
_LOGIN = "org.apache.kafka.common.security"


def kafka_jars(folder: Path) -> Sequence[Path]:
    """The jars, in a folder below `folder`; Maven fetches them once. Raises KafkaBrokerError."""
    pom = next(path for path in _POMS if path.exists())
    return sorted(ensure_jars(folder, pom).glob("*.jar"))


def source_options(client_settings: Mapping[str, str]) -> dict[str, str]:
    """The options for librdkafka's settings of the same brokers. Holds the password in clear."""
    found = {name: client_settings[name] for name in _SAME if name in client_settings}
    if protocol := client_settings.get("security.protocol"):
        found["security.protocol"] = protocol.upper()
    if user := client_settings.get("sasl.username"):
        scram = found.get("sasl.mechanism", "").startswith("SCRAM")
        module = "scram.ScramLoginModule" if scram else "plain.PlainLoginModule"
        password = client_settings.get("sasl.password", "")
        login = f"username={_quoted(user)} password={_quoted(password)};"
        found["sasl.jaas.config"] = f"{_LOGIN}.{module} required {login}"
    for name, (kind, content) in _FILES.items():
        if path := client_settings.get(name):
            found |= {kind: "PEM", content: Path(path).read_text()}
    # As the reader of one machine does: records of a transaction that was not committed are none.
    found["isolation.level"] = "read_committed"
    return {f"kafka.{name}": value for name, value in found.items()}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
