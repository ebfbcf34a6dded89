"""The portal's settings: one frozen object, read once at start.

An instance folder holds what one installation owns: the database (unless it is elsewhere), the
store of uploads, and its secrets, each in its own file that only the owner can read.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.api import find_home
from portal.platform import signon
from portal.platform.errors import ConfigError

INSTANCE_VARIABLE = "PORTAL_INSTANCE"
DATABASE_VARIABLE = "PORTAL_DATABASE_URL"
TIER_VARIABLE = "PORTAL_MINIMUM_TIER"
PROXIES_VARIABLE = "PORTAL_TRUSTED_PROXIES"
SECURE_VARIABLE = "PORTAL_HTTPS"
SECRET_FILE = "secret.key"  # noqa: S105 - a file's name, not a secret
GRADING_FILE = "grading.key"
COMPETITIONS = "competitions"
DEFAULT_INSTANCE = "instance"
DEFAULT_MINIMUM_TIER = 3  # any sandbox; tier 4 is none, and nobody may get it without asking
TIERS = range(1, 5)


@dataclass(frozen=True)
class PasswordCost:
    """Argon2id parameters; the defaults are RFC 9106's second recommendation."""

    time_cost: int = 3
    memory_kib: int = 65_536
    parallelism: int = 4


@dataclass(frozen=True)
class PortalConfig:
    """Everything the portal must be told. Nothing else reads the environment."""

    instance: Path
    database_url: str
    secret_key: str = field(repr=False)  # signs session cookies
    grading_key: bytes = field(repr=False)  # seeds hidden inputs per submission
    home: Path  # the folder that holds assignments/ and, on a grading host, reference/
    minimum_tier: int = DEFAULT_MINIMUM_TIER  # refuse to grade in a weaker sandbox; 1 is strongest
    upload_limit_mb: int = 64
    trusted_proxies: int = 0  # how many proxies in front may be believed about the client's address
    https: bool = False  # cookies are sent over HTTPS only
    password_cost: PasswordCost = PasswordCost()
    sign_on: signon.SignOn | None = None  # None: by the passwords of the portal alone
    limits: Mapping[str, str] = field(default_factory=dict)  # rates other than the features' own
    testing: bool = False

    @property
    def store(self) -> Path:
        """The folder of the content-addressed store."""
        return self.instance / "store"

    @property
    def competitions(self) -> Path:
        """The folder of labels that were installed, each in the folder of its offering."""
        return self.instance / COMPETITIONS


def instance_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the instance folder: PORTAL_INSTANCE, else ``instance`` below the current folder."""
    return Path(environ.get(INSTANCE_VARIABLE) or DEFAULT_INSTANCE).expanduser().resolve()


def create_instance(instance: Path) -> None:
    """Make the instance folder and its secrets. Keeps what is already there.

    Raises ConfigError if uploads are there and the key is gone by which hidden inputs were drawn:
    under a new one, no submission would be graded as it was.
    """
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    key, store = instance / GRADING_FILE, instance / "store"
    if not key.exists() and any(store.glob("??/*")):
        raise ConfigError(
            f"{key} is missing, and submissions were graded by it; restore it from your backup"
        )
    store.mkdir(mode=0o700, exist_ok=True)
    for name in (SECRET_FILE, GRADING_FILE):
        _create_secret(instance / name)


def load_config(instance: Path, environ: Mapping[str, str] = os.environ) -> PortalConfig:
    """Read an instance's settings from its folder and the environment.

    Raises ConfigError if the folder has not been initialised or a variable makes no sense.
    """
    return PortalConfig(
        instance=instance,
        database_url=environ.get(DATABASE_VARIABLE) or f"sqlite:///{instance / 'portal.db'}",
        secret_key=_read_secret(instance / SECRET_FILE),
        grading_key=bytes.fromhex(_read_secret(instance / GRADING_FILE)),
        home=find_home(environ=environ),
        minimum_tier=_tier(environ),
        trusted_proxies=_whole_number(environ, PROXIES_VARIABLE) or 0,
        https=environ.get(SECURE_VARIABLE, "").lower() in {"1", "true", "yes", "on"},
        sign_on=signon.read_sign_on(instance / signon.FILE),
    )


def _create_secret(file: Path) -> None:
    """Write 32 random bytes as hex, readable by the owner alone from the first moment."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secrets.token_hex(32))


def _read_secret(file: Path) -> str:
    try:
        text = file.read_text(encoding="ascii").strip()
        bytes.fromhex(text)
    except FileNotFoundError:
        raise ConfigError(
            f"{file} is missing; run `portal init --instance {file.parent}` first"
        ) from None
    except ValueError:
        raise ConfigError(f"{file} is not hexadecimal; restore it from your backup") from None
    if len(text) < 32:
        raise ConfigError(f"{file} is shorter than 16 bytes; restore it from your backup")
    return text


def _tier(environ: Mapping[str, str]) -> int:
    tier = _whole_number(environ, TIER_VARIABLE)
    if tier is None:
        return DEFAULT_MINIMUM_TIER
    if tier not in TIERS:
        raise ConfigError(
            f"{TIER_VARIABLE}={tier} is not a sandbox tier; set 1 (the strongest) to 3, or 4 to "
            f"grade without a sandbox, which is not for grades"
        )
    return tier


def _whole_number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal():
        raise ConfigError(f"{name}={text!r} is not a whole number; set one or unset it")
    return int(text)
