"""What this feature offers the portal."""

from __future__ import annotations

from portal.people.guard import ADDRESS_LIMIT, PAIR_LIMIT, USERNAME_LIMIT
from portal.people.models import LoginSession, User
from portal.people.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="people",
    blueprints=(blueprint,),
    models=(User, LoginSession),
    menu=(
        MenuEntry(Menu.ACCOUNT, lazy("Account"), "people.account", place=5),
        MenuEntry(Menu.ACCOUNT, lazy("Change password"), "people.password", place=10),
    ),
    permissions={
        "people.login": Audience.ANYBODY,
        "people.log_in": Audience.ANYBODY,
        "people.sign_on_there": Audience.ANYBODY,
        "people.signed_on": Audience.ANYBODY,
        "people.logout": Audience.ANYBODY,
        "people.speak": Audience.ANYBODY,
        "people.account": Audience.ACCOUNT,
        "people.set_account": Audience.ACCOUNT,
        "people.password": Audience.ACCOUNT,
        "people.set_password": Audience.ACCOUNT,
    },
    limits={
        ADDRESS_LIMIT: "30 per minute",
        PAIR_LIMIT: "10 per 15 minutes",
        USERNAME_LIMIT: "100 per hour",
        "people.set_password": "20 per 5 minutes",
        "people.sign_on": "300 per minute",  # a whole room may share an address
    },
)
