"""Every feature is listed, complete, and its pages are for nobody before it says for whom."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from support.portal import Site

import portal
from portal import app as factory
from portal.app import FEATURES
from portal.platform.feature import Audience, Feature, Menu, MenuEntry, tables_of

FOLDER = Path(portal.__file__).parent
NO_FEATURES = {"platform", "migrations", "demo"}
BY_NAME = {feature.name: feature for feature in FEATURES}


def test_every_folder_is_a_feature_that_the_app_lists() -> None:
    folders = {file.parent.name for file in FOLDER.glob("*/__init__.py")} - NO_FEATURES
    assert [feature.name for feature in FEATURES] == list(BY_NAME)
    assert set(BY_NAME) == folders
    assert all(import_module(f"portal.{name}.feature").FEATURE is BY_NAME[name] for name in folders)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_what_a_feature_offers_lies_in_its_folder(feature: Feature, app: Flask) -> None:
    package = f"portal.{feature.name}."
    assert all(model.__module__.startswith(package) for model in feature.models)
    names = {blueprint.name for blueprint in feature.blueprints}
    own = {name for name in app.view_functions if name.partition(".")[0] in names}
    assert set(feature.permissions) == own
    assert all(app.view_functions[name].__module__.startswith(package) for name in own)
    assert {entry.endpoint for entry in feature.menu} | feature.uploads <= own


def test_every_table_belongs_to_one_feature() -> None:
    tables = [model.__tablename__ for feature in FEATURES for model in feature.models]
    assert sorted(tables) == sorted(tables_of(FEATURES).tables)
    with pytest.raises(ValueError, match="of no feature: audit_entry"):
        tables_of([feature for feature in FEATURES if feature.name != "audit"])


def test_addresses_of_staff_are_for_staff_and_no_others_are(app: Flask) -> None:
    permissions = {name: who for each in FEATURES for name, who in each.permissions.items()}
    staff = {Audience.STAFF, Audience.INSTRUCTOR}
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            assert rule.rule.startswith("/staff/") == (permissions[rule.endpoint] in staff), rule


def plan(**values: object) -> Feature:
    """Return a feature with one page, which forgets to ask who is there."""
    blueprint = Blueprint("plan", __name__)
    blueprint.add_url_rule("/plan", "show", lambda: "the plan")
    blueprint.add_url_rule("/plan", "take", lambda: "taken", methods=["POST"])
    feature = Feature(
        name="plan",
        blueprints=(blueprint,),
        menu=(MenuEntry(Menu.MAIN, "The plan", "plan.show", place=5),),
        permissions={"plan.show": Audience.ACCOUNT, "plan.take": Audience.ACCOUNT},
        uploads=frozenset({"plan.take"}),
        limits={"plan.show": "1 per minute"},
    )
    return replace(feature, **values)  # type: ignore[arg-type]


def test_a_listed_feature_has_pages_a_place_in_the_menu_and_room_for_uploads(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.make_member("ada")
    monkeypatch.setattr(factory, "FEATURES", (*FEATURES, plan()))
    ada = site.log_in("ada")
    assert ada.get("/plan").text == "the plan"
    home = ada.get("/").text
    assert 0 < home.index('<a href="/plan">The plan</a>') < home.index('<a href="/">My labs</a>')
    large = {"text": "x" * 2_000_000}
    assert ada.post("/plan", data=large).text == "taken"
    assert ada.post("/account/password", data=large).status_code == 413


def test_a_page_that_forgets_to_ask_is_still_not_for_strangers(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "FEATURES", (*FEATURES, plan()))
    answer = site.app.test_client().get("/plan")
    assert (answer.status_code, answer.location) == (302, "/login?next=%2Fplan")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"permissions": {"plan.show": Audience.ACCOUNT}}, "without a permission: plan.take"),
        ({"blueprints": ()}, "that are not there: plan.show, plan.take"),
        ({"uploads": frozenset({"plan.send"})}, "that are not there: plan.send"),
        (
            {"menu": (MenuEntry(Menu.STAFF, "Plan", "plan.all", place=1),)},
            "that are not there: plan.all",
        ),
    ],
)
def test_the_portal_does_not_start_with_a_feature_that_is_not_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch, values: dict[str, object], complaint: str
) -> None:
    monkeypatch.setattr(factory, "FEATURES", (*FEATURES, plan(**values)))
    with pytest.raises(ValueError, match=complaint):
        site.open_app()


def test_only_limits_that_a_feature_states_can_be_changed(site: Site) -> None:
    with pytest.raises(ValueError, match="no feature states: login"):
        site.open_app(limits={"login": "1 per minute"})
