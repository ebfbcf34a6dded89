"""Walking through the portal's addresses, and sending forms as a browser does."""

from __future__ import annotations

from support.attempts import ANSWER as GOOD
from support.uploads import upload

UNSEEN = {
    *map(chr, range(32)),
    "\x7f",
    *"\x9b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
}
UNSEEN -= {"\n", "\t", "\r"}
STREAM = "runs.events"  # answers for as long as a run is open


def addresses(app, ids, method="GET"):
    """Yield (endpoint, address) of every route of a method, its ids filled in."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if method in (rule.methods or ()):
                values = {name: ids[name] for name in rule.arguments}
                yield rule.endpoint, app.url_for(rule.endpoint, **values)


def send(browser, offering_id, data=GOOD, name="answer.py", key="upload-0001", **more):
    """Send one upload and ask for the receipt as JSON."""
    return upload(browser, offering_id, [(name, data)], key, **more)


def unseen(text: str) -> set[str]:
    """Return the characters of a text that hide, move or command."""
    return UNSEEN & set(text)
