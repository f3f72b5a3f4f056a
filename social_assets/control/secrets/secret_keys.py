"""The keys that encrypt secrets: from SOCIAL_ASSETS_SECRET_KEY, or a file of the home.

Belongs here: where keys come from, their ids, and encryption of one value. The first key encrypts;
the others only decrypt what was encrypted before a rotation. The table belongs to
`encrypted_secrets`. No key is in a text that this module makes.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resources.machine.home_machine import claim_home
from resources.settings.environments import EnvironmentSettingsError
from resources.settings.home import Home
from resources.settings.private_home import make_private
from resources.settings.variables import SECRET_KEY
from social_assets.control.errors import SecretKeyError, SecretTamperedError

FILE = "secret.key"

_KEY_BYTES = 32
_NONCE_BYTES = 12
_MAKE_ONE = "python -c 'import os, base64; print(base64.b64encode(os.urandom(32)).decode())'"


@dataclass(frozen=True)
class SecretKey:
    """One AES-256 key."""

    material: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """What is stored with each ciphertext: it tells which key, and nothing of it."""
        return hashlib.sha256(b"social-assets secret key\x00" + self.material).hexdigest()[:12]

    def encrypt(self, plain: bytes, bound_to: bytes) -> bytes:
        """Nonce and ciphertext, which decrypts only with the same `bound_to`."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.material).encrypt(nonce, plain, bound_to)

    def decrypt(self, encrypted: bytes, bound_to: bytes) -> bytes:
        """The value. Raises SecretTamperedError if any bit is not as it was encrypted."""
        nonce, text = encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:]
        try:
            return AESGCM(self.material).decrypt(nonce, text, bound_to)
        except (InvalidTag, ValueError) as error:
            raise SecretTamperedError from error


@dataclass(frozen=True)
class SecretKeys:
    """All keys of an installation, the one that encrypts first."""

    keys: tuple[SecretKey, ...]
    source: str
    """Where they come from, for messages."""

    @property
    def current(self) -> SecretKey:
        """The key that encrypts."""
        return self.keys[0]

    def key(self, id_: str) -> SecretKey | None:
        """The key with an id."""
        return next((key for key in self.keys if key.id == id_), None)

    def __str__(self) -> str:
        return f"{', '.join(key.id for key in self.keys)} from {self.source}"


class KeySource:
    """Where a home's keys come from."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self.file = home.control / FILE

    @property
    def is_setting(self) -> bool:
        """Whether the keys come from the environment."""
        return bool(os.environ.get(SECRET_KEY))

    def read(self) -> SecretKeys | None:
        """The keys; None if there are none yet. Raises SecretKeyError for what is no key."""
        if self.is_setting:
            try:
                return _ring(os.environ[SECRET_KEY].split(","), SECRET_KEY)
            except SecretKeyError as error:
                raise EnvironmentSettingsError(str(error)) from None
        if not self.file.exists():
            return None
        return _ring(self.file.read_text().split(), str(self.file))

    @contextmanager
    def held(self, *, exclusive: bool = False) -> Iterator[None]:
        """Keep the file of keys as it is for the block; `exclusive` may replace it.

        A process that encrypts holds it until its transaction is committed: so a rotation sees
        every value that is under an old key, before it drops that key.
        """
        if self.is_setting:
            yield
            return
        make_private(self._home)
        claim_home(self._home.path / "locks")
        self.file.parent.mkdir(mode=0o700, exist_ok=True)
        with self.file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield

    def make(self) -> SecretKeys:
        """Make the first key. The caller must hold the file exclusively."""
        return self.replace([SecretKey(secrets.token_bytes(_KEY_BYTES))])

    def replace(self, keys: Sequence[SecretKey]) -> SecretKeys:
        """Write the file with these keys. The caller must hold the file exclusively."""
        lines = "".join(f"{base64.b64encode(key.material).decode()}\n" for key in keys)
        with NamedTemporaryFile("w", dir=self.file.parent, prefix=".secret.", delete=False) as new:
            Path(new.name).chmod(0o600)
            new.write(lines)
            new.flush()
            os.fsync(new.fileno())
            Path(new.name).replace(self.file)
        folder = os.open(self.file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return SecretKeys(tuple(keys), str(self.file))


def new_key() -> SecretKey:
    """A random key."""
    return SecretKey(secrets.token_bytes(_KEY_BYTES))


def _ring(texts: Sequence[str], source: str) -> SecretKeys:
    keys = tuple(_read(text.strip(), source, number) for number, text in enumerate(texts, 1))
    if not keys:
        raise SecretKeyError(f"{source} holds no key; restore it from a backup")
    if len({key.id for key in keys}) < len(keys):
        raise SecretKeyError(f"{source} holds one key twice; remove one of them")
    return SecretKeys(keys, source)


def _read(text: str, source: str, number: int) -> SecretKey:
    try:
        material = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        material = b""
    if len(material) != _KEY_BYTES:
        # The error of the decoder is not shown behind this one: it may hold parts of the key.
        raise SecretKeyError(
            f"key {number} of {source} is not 32 bytes in base64; make one by {_MAKE_ONE}, "
            "and separate several by commas, the one that encrypts first"
        ) from None
    return SecretKey(material)
