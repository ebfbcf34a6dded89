"""What this feature offers the portal."""

from __future__ import annotations

from portal.labs import choice, lateviews, pages, staffteams, teamviews, uploads
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="labs",
    blueprints=(
        pages.blueprint,
        uploads.blueprint,
        lateviews.blueprint,
        choice.blueprint,
        teamviews.blueprint,
        staffteams.blueprint,
    ),
    menu=(
        MenuEntry(Menu.MAIN, lazy("My labs"), "labs.home", place=10),
        MenuEntry(Menu.STAFF, lazy("Teams"), "lab_teams_staff.show", place=33),
    ),
    permissions={
        "labs.home": Audience.ACCOUNT,
        "labs.lab": Audience.TERM,
        "labs.skeleton": Audience.TERM,
        "choice.choose": Audience.TERM,
        "uploads.upload": Audience.TERM,
        "uploads.preview": Audience.TERM,
        "late_uploads.accept": Audience.STAFF,
        "late_uploads.tell_name": Audience.INSTRUCTOR,
        **{
            f"lab_teams.{name}": Audience.TERM
            for name in ("invite", "again", "answer", "rename", "leave")
        },
        **{
            f"lab_teams_staff.{name}": Audience.STAFF for name in ("show", "move", "rename", "copy")
        },
    },
    limits={
        "uploads.upload": "30 per minute",
        "uploads.preview": "60 per minute",
        "lab_teams.invite": "30 per hour",
        "lab_teams.again": "30 per hour",
    },
    uploads=frozenset({"uploads.upload"}),
)
