"""Walking through the portal's addresses, and sending forms as a browser does."""

from __future__ import annotations

import re

PASSWORD = "correct horse battery"
GOOD = b"def answer():\n    return 42\n"
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


def multipart(files=(), **fields) -> dict:
    """Return a form as bytes, whatever the files are called."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [(f'name="files"; filename="{name}"', data) for name, data in files]
    body = b"".join(
        f"--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    return {"data": body + b"--edge--\r\n", "content_type": "multipart/form-data; boundary=edge"}


def send(browser, offering_id, data=GOOD, name="answer.py", key="upload-0001", **more):
    """Send one upload and ask for the receipt as JSON."""
    return browser.post(
        f"/labs/{offering_id}/submissions",
        headers={"Accept": "application/json"},
        **multipart([(name, data)], client_key=key, **more),
    )


def token_of(page: str) -> str:
    """Return the CSRF token of a page."""
    return re.search(r'name="csrf_token" value="([^"]+)"', page).group(1)


def unseen(text: str) -> set[str]:
    """Return the characters of a text that hide, move or command."""
    return UNSEEN & set(text)
