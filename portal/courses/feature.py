"""What this feature offers the portal."""

from __future__ import annotations

from portal.courses.models import Enrolment, Offering, Term
from portal.courses.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry

FEATURE = Feature(
    name="courses",
    blueprints=(blueprint,),
    models=(Term, Enrolment, Offering),
    menu=(MenuEntry(Menu.STAFF, "Roster", "courses.show", place=40),),
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
