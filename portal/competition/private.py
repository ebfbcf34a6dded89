"""Files of a competition that only the portal's own account can read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(data: bytes, target: Path) -> None:
    """Write a file whole or not at all, in the place of an older one: 0600, in folders of 0700."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-")  # mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
