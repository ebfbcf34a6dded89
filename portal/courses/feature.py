"""What this feature offers the portal."""

from __future__ import annotations

from portal.courses.models import Enrolment, Offering, Reveal, Term
from portal.courses.views import blueprint
from portal.courses.words import WORDS
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="courses",
    blueprints=(blueprint,),
    models=(Term, Enrolment, Offering, Reveal),
    menu=(MenuEntry(Menu.STAFF, lazy("Roster"), "courses.show", place=40),),
    words=WORDS,
    permissions={
        "courses.show": Audience.STAFF,
        "courses.preview": Audience.INSTRUCTOR,
        "courses.carry_out": Audience.INSTRUCTOR,
        "courses.add": Audience.INSTRUCTOR,
        "courses.member": Audience.INSTRUCTOR,
        "courses.change": Audience.INSTRUCTOR,
        "courses.new_password": Audience.INSTRUCTOR,
    },
)
