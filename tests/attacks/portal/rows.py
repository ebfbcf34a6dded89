"""Attacks on the portal, one row each. A test names its row by `@row("name")`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Test = TypeVar("Test", bound=Callable)


@dataclass(frozen=True)
class Row:
    """One way of attacking the portal."""

    name: str
    tries: str


ROWS = tuple(
    Row(name, tries)
    for name, tries in (
        ("xss-stored", "stores scripts in names, courses, files, comments, details and faults"),
        ("xss-browser", "has a browser open every page that shows such texts"),
        ("xss-reflected", "puts scripts into addresses, searches and forms"),
        ("xss-notebook-output", "shows a notebook's HTML and SVG outputs on a page"),
        ("xss-figure", "passes a page or an SVG off as a figure"),
        ("text-terminal", "sends terminal commands through names, output and details"),
        ("text-bidi", "turns the reading order of names, code, output and details round"),
        ("log-forging", "forges lines in the server's log"),
        ("csv-gradebook", "puts formulas into the gradebook's CSV"),
        ("csv-separators", "ends a cell by the separator of another country's spreadsheet"),
        ("csv-passwords", "puts formulas into the list of first passwords"),
        ("csv-grader", "puts formulas into the command line's CSV"),
        ("csrf-every-route", "posts to every route without a token"),
        ("csrf-foreign-token", "posts to every route with another session's token"),
        ("method-override", "turns a GET into a POST by header, field or query"),
        ("methods-unlisted", "uses methods that a route does not have"),
        ("clickjacking", "frames every page, error pages among them"),
        ("sniffing", "has a browser guess the type of every answer and download"),
        ("cache-private", "reads a private page from a cache after the logout"),
        ("idor-anonymous", "opens every address without an account"),
        ("idor-student", "opens every address with another student's and the staff's ids"),
        ("idor-other-term", "opens every address as staff of another term"),
        ("idor-demoted", "opens staff's addresses after losing the role"),
        ("idor-tell-tale", "tells an existing id from an unknown one by the answer"),
        ("idor-crossed-ids", "pairs an own term with a student or an offering of another one"),
        ("idor-rights", "opens everything of two terms as everybody, against a written table"),
        ("idor-mass-assignment", "sends fields that no form has: scores, owners, dates, roles"),
        ("session-fixation", "plants a session before the login"),
        ("session-forged", "signs or changes a session cookie without the key"),
        ("session-after-password", "goes on with a session stolen before a password change"),
        ("session-after-logout", "goes on with a session stolen before a logout"),
        ("open-redirect", "sends people elsewhere after the login and after a mark"),
        ("host-header", "poisons addresses by the Host header"),
        ("forwarded-headers", "changes its address, scheme and host by X-Forwarded headers"),
        ("header-injection", "ends a header by a line break in names and addresses"),
        ("path-injection", "climbs out of static files, figures and languages"),
        ("login-timing", "tells known names from unknown ones by the work they cost"),
        ("login-brute-force", "guesses at one account from many addresses"),
        ("login-spraying", "guesses at many accounts from one address"),
        ("login-parallel", "guesses at the same instant, before a failure is counted"),
        ("login-memory", "makes the server hash hundreds of passwords at once"),
        ("password-brute-force", "guesses the old password on the change form"),
        ("numbers-too-large", "sends ids that no database column can hold"),
        ("nul-everywhere", "sends NUL bytes in addresses, searches, forms and names"),
        ("race-attempts", "sends 8 uploads at the same instant for 3 attempts"),
        ("race-one-key", "sends one upload at the same instant 6 times"),
        ("race-deadline", "sends uploads at the very end, while the lab closes"),
        ("slow-arrival", "starts an upload before the end and finishes it afterwards"),
        ("race-regrade", "presses Regrade 6 times at the same instant"),
        ("oracle-report", "looks for hidden inputs in pages, JSON and events of a result"),
        ("oracle-headers", "compares ETags, sizes and lengths of answers with hidden details"),
        ("oracle-unpublished", "opens results, figures and events of an unpublished lab"),
        ("oracle-unopened", "learns a lab's files before it opens by preview and upload"),
        ("oracle-progress", "reads outcomes from the progress of a run"),
        ("oracle-others", "reads others' scores from lists, positions and staff pages"),
        ("oversized-declared", "announces an upload beyond every limit"),
        ("oversized-chunked", "sends an endless upload without a length"),
        ("oversized-anonymous", "uploads much without an account"),
        ("many-parts", "sends a form of thousands of fields and files"),
        ("slow-headers", "holds hundreds of connections by half a request each"),
        ("slow-close", "holds connections open that the server has ended"),
        ("slow-body", "holds connections by bodies that never end"),
        ("smuggling", "hides a second request behind two lengths"),
        ("raw-header-injection", "sends broken request lines and headers"),
        ("streams-all", "takes every live stream there is"),
    )
)
NAMES = frozenset(one.name for one in ROWS)


def row(*names: str) -> Callable[[Test], Test]:
    """Say which rows a test stands for; KeyError if there is no such row."""
    for name in names:
        if name not in NAMES:
            raise KeyError(name)
    return lambda test: test
