"""The portal's exceptions, a branch of the engine's tree.

    ProctorError
    +-- PortalError            base of every error the portal raises on purpose
        +-- ConfigError        the instance folder cannot be used
        +-- Invalid            a request that cannot be done; the message is shown to its sender
        +-- UnknownDigest      the store holds no such bytes
        +-- WriteTimeout       the database stayed busy; the request may be sent again

The message of `Invalid` is a sentence for the person who sent the request.
"""

from __future__ import annotations

from grader.api import ProctorError


class PortalError(ProctorError):
    """Base of every error the portal raises on purpose."""


class ConfigError(PortalError):
    """The instance folder or the environment cannot be used; says what to do."""


class Invalid(PortalError):
    """A request that cannot be done; its message is shown to the person who sent it.

    `field` names the field of a form that is to be mended; "" if it is none alone.
    """

    def __init__(self, message: str = "", *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class UnknownDigest(PortalError):
    """The store holds no bytes of this digest."""


class WriteTimeout(PortalError):
    """Another writer kept the database for too long; nothing was written."""
