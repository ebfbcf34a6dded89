"""Requests that no browser sends, against the portal as it is served: slow, endless and broken."""

from __future__ import annotations

import http.client
import re
import socket
import uuid
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from attacks.portal.rows import row
from attacks.portal.web import GOOD
from sqlalchemy import select
from support.portal import PASSWORD, Site, open_site
from support.serving import free_port, served
from support.uploads import multipart, token_of

from portal.platform.db import read_session, utc_now
from portal.runs.live import MAX_STREAMS
from portal.submissions.models import Submission

PROGRAM = Path(__file__).parent / "programs" / "served.py"
THREADS = 4 + MAX_STREAMS  # those of the program, and one for each live page
PATIENCE = 120


@dataclass
class Served:
    """A running portal."""

    port: int
    process: psutil.Process
    driver: Site
    log: Path

    @property
    def offering_id(self) -> int:
        """The lab's offering."""
        return self.driver.offering_id

    def stored(self) -> set[Path]:
        """Return the files and folders of the store."""
        return set(self.driver.config.store.rglob("*"))

    def submissions(self) -> int:
        """Count the rows."""
        with read_session(self.driver.engine) as session:
            return len(session.scalars(select(Submission)).all())

    def connect(self, address="127.0.0.1") -> socket.socket:
        """Open a connection from an address of this machine."""
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=PATIENCE, source_address=(address, 0)
        )

    def ask(self, request: bytes, address="127.0.0.2") -> bytes:
        """Send raw bytes and return all that is answered."""
        with self.connect(address) as peer:
            try:
                peer.sendall(request)
                with suppress(OSError):  # the other side may have closed already
                    peer.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: peer.recv(65536), b""))
            except ConnectionError:
                return b""

    def children(self) -> int:
        """Return how many processes the server has."""
        return len(self.process.children(recursive=True))


class Browser:
    """A person's browser: cookies, tokens, one connection a request."""

    def __init__(self, site: Served) -> None:
        self.site, self.cookie = site, ""

    def send(self, method, path, body=None, headers=None):
        """Send one request and return status, headers and text."""
        line = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=PATIENCE)
        try:
            told = {"Cookie": self.cookie, **(headers or {})}
            line.request(method, path, body, told)
            answer = line.getresponse()
            if answer.getheader("Set-Cookie"):
                self.cookie = answer.getheader("Set-Cookie").partition(";")[0]
            return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        finally:
            line.close()

    def log_in(self, username):
        """Log in through the form."""
        token = token_of(self.send("GET", "/login")[2])
        form = f"username={username}&password={PASSWORD.replace(' ', '+')}&csrf_token={token}"
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        assert self.send("POST", "/login", form, kind)[0] == 302
        return self

    def upload(self, data=GOOD, name="answer.py"):
        """Upload one file through the form, as a submission of its own; return the status."""
        place = f"/labs/{self.site.offering_id}/"
        token = token_of(self.send("GET", place)[2])
        fields = {"client_key": str(uuid.uuid4()), "again": "yes", "csrf_token": token}
        form = multipart([(name, data)], **fields)
        headers = {"Content-Type": form["content_type"], "Accept": "application/json"}
        return self.send("POST", f"{place}submissions", form["data"], headers)[0]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The portal in processes of its own, with the students Ada and Bo."""
    folder = tmp_path_factory.mktemp("served")
    with open_site(folder) as driver:
        driver.make_member("ada")
        driver.make_member("bo")
        now = utc_now()  # the server goes by the real clock
        day = timedelta(days=1)
        driver.change_offering(opens_at=now - day, due_at=now + day, attempts_per_day=None)
        port = free_port()
        where = [str(driver.config.instance), str(driver.config.home), str(port)]
        with served([str(PROGRAM), *where], port, folder / "log") as child:
            yield Served(port, psutil.Process(child.pid), driver, folder / "log")
        assert_quiet(folder / "log")


@pytest.fixture
def site(running):
    """The running portal, whose log must be quiet when the test ends."""
    yield running
    assert_quiet(running.log)


def assert_quiet(log):
    """Fail if the server has crashed in something, or let a control character into its log."""
    lines = log.read_text(errors="replace")
    assert "Traceback" not in lines, lines[-3000:]
    assert not re.search(r"[\x00-\x08\x0e-\x1f\x7f]", lines)


@contextmanager
def held(site, number, first: bytes):
    """Hold so many connections of an attacker that have each sent the first bytes only."""
    with ExitStack() as stack:
        held = []
        for _ in range(number):
            peer = stack.enter_context(site.connect("127.0.0.2"))
            try:
                peer.sendall(first)
            except ConnectionError:
                continue
            held.append(peer)
        yield held


def works(site):
    """Fail unless somebody else can log in, read and upload meanwhile."""
    bo = Browser(site).log_in("bo")
    assert bo.send("GET", "/")[0] == 200
    assert bo.upload() == 201


@row("slow-headers")
def test_hundreds_of_half_requests_of_one_address_keep_nobody_else_out(site):
    with held(site, THREADS + 20, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ") as halves:
        works(site)
        assert halves[0].recv(100) == b"", "the server ends what never comes whole"


@row("slow-close")
def test_connections_that_are_never_closed_stop_nobody(site):
    """Each was answered with an error and then stays open on the attacker's side."""
    with held(site, 100, b"GET / HTTP/9.9\r\n\r\n"):
        works(site)


@row("slow-body")
def test_bodies_that_never_end_keep_nobody_else_out_and_leave_nothing(site):
    before = site.submissions()
    head = (
        f"POST /labs/{site.offering_id}/submissions HTTP/1.1\r\nHost: x\r\n"
        "Content-Length: 900000\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n--edge\r\n"
    )
    with held(site, 60, head.encode()):
        works(site)
    assert site.submissions() == before + 1


@row("streams-all")
def test_taking_live_streams_leaves_pages_for_the_others(site):
    ada = Browser(site).log_in("ada")
    assert ada.upload() == 201
    place = re.findall(
        r"/submissions/[0-9a-f-]{36}", ada.send("GET", f"/labs/{site.offering_id}/")[2]
    )[0]
    request = f"GET {place}/events HTTP/1.1\r\nHost: x\r\nCookie: {ada.cookie}\r\n\r\n".encode()
    with held(site, 40, request) as streams:
        assert b"text/event-stream" in streams[0].recv(4096)
        works(site)


@row("oversized-declared")
def test_an_announced_giant_is_refused_before_it_is_sent(site):
    ada = Browser(site).log_in("ada")
    place = f"/labs/{site.offering_id}/submissions"
    for cookie in ("", f"Cookie: {ada.cookie}\r\n"):
        for path in (place, "/login", "/logout"):
            answer = site.ask(
                f"POST {path} HTTP/1.1\r\nHost: x\r\n{cookie}Content-Length: 99999999999\r\n"
                "Content-Type: multipart/form-data; boundary=edge\r\nConnection: close\r\n\r\n"
                "--edge\r\n".encode()
            )
            assert b" 413 " in answer.partition(b"\r\n")[0], (path, answer[:200])
    assert ada.upload(b"#" * 3_500_000) == 413
    works(site)


@row("oversized-anonymous")
def test_only_people_with_an_account_send_much_and_only_as_an_upload(site):
    """What a form holds beyond half a megabyte lies on the disk until it has been read."""
    form = multipart([("answer.py", b"#" * 1_500_000)])
    upload = f"/labs/{site.offering_id}/submissions"
    ada = Browser(site).log_in("ada")
    for browser, path in (
        (Browser(site), upload),
        (Browser(site), "/login"),
        (Browser(site), "/nothing"),
        (ada, "/login"),
        (ada, upload + "/preview"),
        (ada, "/account/password"),
    ):
        chunks = iter([form["data"]])
        for body, more in ((form["data"], {}), (chunks, {"Transfer-Encoding": "chunked"})):
            headers = {"Content-Type": form["content_type"], **more}
            try:
                assert browser.send("POST", path, body, headers)[0] == 413, path
            except ConnectionError:
                pass  # refused so early that the rest could not be sent
    assert ada.upload(b"#" * 1_500_000) == 422, "read, and found too long"
    assert ada.upload(b"#" * 900_000 + b"\nx = 1\n") == 201
    works(site)


@row("oversized-chunked")
def test_an_endless_body_without_a_length_ends_at_the_limit(site):
    ada, before = Browser(site).log_in("ada"), site.stored()
    head = (
        f"POST /labs/{site.offering_id}/submissions HTTP/1.1\r\nHost: x\r\nCookie: {ada.cookie}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()
    part = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="answer.py"\r\n\r\n'
    sent = 0
    with site.connect("127.0.0.2") as peer:
        try:
            peer.sendall(head + b"%x\r\n" % len(part) + part + b"\r\n")
            for _ in range(64):
                peer.sendall(b"100000\r\n" + b"#" * 0x100000 + b"\r\n")
                sent += 0x100000
        except OSError:
            pass
    assert sent < 48 << 20, "the server read on for ever"
    assert site.stored() == before
    works(site)


@row("many-parts")
def test_a_form_of_thousands_of_parts_is_refused(site):
    ada = Browser(site).log_in("ada")
    place = f"/labs/{site.offering_id}/"
    token = token_of(ada.send("GET", place)[2])
    many = {f"f{n}": "x" for n in range(5000)}
    for form in (
        multipart([(f"{n}.txt", b"x") for n in range(5000)], csrf_token=token),
        multipart([("answer.py", GOOD)], csrf_token=token, **many),
        multipart([("answer.py", GOOD)], csrf_token=token, big="x" * 1_500_000),
    ):
        headers = {"Content-Type": form["content_type"]}
        status, _, text = ada.send("POST", f"{place}submissions", form["data"], headers)
        assert status in (400, 413), status
        assert "Go back" in text or "nothing else" in text
    works(site)


@row("smuggling")
def test_two_lengths_hide_no_second_request(site):
    ada = Browser(site).log_in("ada")
    inner = f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {ada.cookie}\r\n\r\n"
    for lies in (
        f"Content-Length: 4\r\nContent-Length: {len(inner) + 5}",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Content-Length: +4",
        "Content-Length: 4 4",
    ):
        answer = site.ask(
            f"POST /login HTTP/1.1\r\nHost: x\r\n{lies}\r\n\r\n0\r\n\r\n{inner}".encode()
        )
        assert b"Hello, Ada" not in answer, lies
    works(site)


@row("raw-header-injection")
def test_broken_requests_end_with_a_refusal(site):
    bad = (
        b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX\x1b[2J: b\r\n\r\n",
        b"GET /\x1b[2J\x07 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    )
    for request in bad:
        status = site.ask(request).partition(b"\r\n")[0]
        assert not status or re.search(rb" (4\d\d|505|302) ", status + b" "), (request[:60], status)
    works(site)
