"""How people of a university sign in with the account they have there, by OpenID Connect.

``sso.toml`` in the instance folder says with whom the portal talks:

    issuer = "https://login.example.edu"
    client_id = "proctor"
    client_secret = "..."
    title = "Example University"     # on the button
    claim = "preferred_username"     # whose value is the username here; or "email"
"""

from __future__ import annotations

import ipaddress
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from portal.platform.errors import ConfigError, PortalError

FILE = "sso.toml"
BY_EMAIL = "email"
_NEEDED = ("issuer", "client_id", "client_secret")
_KNOWN = {*_NEEDED, "title", "claim"}


class NotFinished(PortalError):
    """Nobody was named: refused there, or not begun by this browser."""


class NotAnswered(PortalError):
    """The provider could not be asked, or its answer is not to be trusted."""


@dataclass(frozen=True)
class SignOn:
    """A provider of OpenID Connect, and what the portal is there."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    title: str = "OpenID Connect"
    claim: str = "preferred_username"

    @property
    def metadata(self) -> str:
        """Where the provider describes itself (OpenID Connect Discovery 1.0, section 4)."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"


def read_sign_on(file: Path) -> SignOn | None:
    """Return the provider that a file names; None without the file.

    Raises ConfigError if something is missing or wrong, or others can read the secret in it.
    """
    try:
        text = file.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        return None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"others can read the secret in {file}; run `chmod 600 {file}`")
    for name in (*_NEEDED, *sorted(values)):
        if name not in _KNOWN:
            raise ConfigError(f"{file}: {name!r} is not known; take {', '.join(sorted(_KNOWN))}")
        if not isinstance(values.get(name), str) or not values[name].strip():
            raise ConfigError(f"{file}: {name!r} must be a text; write one between quotes")
    found = SignOn(**values)
    if not _is_safe(found.issuer):
        raise ConfigError(f"{file}: the issuer {found.issuer!r} must begin with https://")
    return found


def _is_safe(address: str) -> bool:
    """Tell whether nobody between can read along: TLS, or this machine itself."""
    try:
        parts = urlsplit(address)
        if parts.scheme == "https":
            return bool(parts.hostname)
        return parts.scheme == "http" and ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
