"""What happened when: one JSON line an event, written as it happens."""

import json
import time


class Events:
    """A file of events; safe to use from several threads."""

    def __init__(self, path):
        self._file = open(path, "a", buffering=1, encoding="utf-8")

    def say(self, kind, name, **more):
        """Note that `kind` has happened to submission `name`."""
        line = json.dumps({"event": kind, "name": name, "at": time.time(), **more})
        self._file.write(line + "\n")
