"""What a feature offers the portal, and how the app takes it in.

A feature is a folder with a `feature.py`, which names its addresses, tables, entries of the menus,
who may open each page, and what bounds the requests. The app lists the features and knows nothing
else of them. A page that no feature says the audience of does not exist: the app refuses to start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from flask import Blueprint, Flask, current_app
from sqlalchemy import MetaData

from portal.platform import language
from portal.platform.db import Base
from portal.platform.language import Phrase

EXTENSION = "portal.features"
STATIC = "static"  # style sheets and scripts, which the login page needs too


class Audience(StrEnum):
    """Who may open a page.

    Whoever has no account is turned away before a view runs. The rest is the view's to find out,
    since it depends on what the address names; it answers 404.
    """

    ANYBODY = "anybody"
    ACCOUNT = "everybody with an account"
    TERM = "people of the term"
    OWNER = "the student it belongs to, and staff of the term"
    STAFF = "staff of the term"
    INSTRUCTOR = "instructors of the term"
    LEADER = "instructors of any term, and administrators"


class Menu(StrEnum):
    """The menus on top of every page."""

    MAIN = "main"
    STAFF = "staff"  # once for each term of which the person is staff; the address takes its slug
    INSTRUCTOR = "instructor"  # as above, once for each term that the person leads
    ACCOUNT = "account"


@dataclass(frozen=True)
class MenuEntry:
    """A page that a menu leads to."""

    menu: Menu
    title: Phrase | str
    endpoint: str
    place: int  # entries with smaller numbers stand further up


@dataclass(frozen=True)
class Feature:
    """All that the app must know of a feature. Endpoints are written whole: ``labs.home``."""

    name: str  # of its folder
    blueprints: tuple[Blueprint, ...] = ()
    models: tuple[type[Base], ...] = ()
    menu: tuple[MenuEntry, ...] = ()
    permissions: Mapping[str, Audience] = field(default_factory=dict)  # of every endpoint
    limits: Mapping[str, str] = field(default_factory=dict)  # rates, such as "30 per minute"
    uploads: frozenset[str] = frozenset()  # endpoints that take more than a small form
    # What the members of its enumerations are called on pages.
    words: Mapping[type[StrEnum], Mapping[Any, Phrase]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Registered:
    """What the features of an app offer together."""

    permissions: Mapping[str, Audience]
    limits: Mapping[str, str]
    uploads: frozenset[str]
    menus: Mapping[str, Sequence[MenuEntry]]


def init_app(app: Flask, features: Sequence[Feature], limits: Mapping[str, str]) -> None:
    """Take the features in; `limits` are rates that differ from those the features state.

    Raises ValueError if an endpoint lacks a permission, a permission or a menu an endpoint, or if
    no feature states the rate that is to differ.
    """
    permissions = {STATIC: Audience.ANYBODY}
    rates: dict[str, str] = {}
    for feature in features:
        for blueprint in feature.blueprints:
            app.register_blueprint(blueprint)
        permissions |= feature.permissions
        rates |= feature.limits
        language.name(app, feature.words)
    entries = sorted((one for each in features for one in each.menu), key=lambda one: one.place)
    uploads = frozenset[str]().union(*(feature.uploads for feature in features))
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}
    _refuse("endpoints without a permission", endpoints - set(permissions))
    named = {*permissions, *uploads, *(entry.endpoint for entry in entries)}
    _refuse("names of endpoints that are not there", named - endpoints)
    _refuse("limits that no feature states", set(limits) - set(rates))
    app.extensions[EXTENSION] = _Registered(
        permissions=permissions,
        limits=rates | dict(limits),
        uploads=uploads,
        menus={menu: [one for one in entries if one.menu is menu] for menu in Menu},
    )
    app.context_processor(lambda: {"menus": _registered().menus})


def tables_of(features: Sequence[Feature]) -> MetaData:
    """Return the tables of all features. Raises ValueError if one belongs to none of them."""
    owned = {model.__tablename__ for feature in features for model in feature.models}
    _refuse("tables of no feature", set(Base.metadata.tables) - owned)
    return Base.metadata


def audience_of(endpoint: str | None) -> Audience | None:
    """Return who may open an endpoint; None if it is none, so that there is nothing to open."""
    # What was added to the app behind the features' backs is at least not for strangers.
    return None if endpoint is None else _registered().permissions.get(endpoint, Audience.ACCOUNT)


def takes_uploads(endpoint: str | None) -> bool:
    """Tell whether an endpoint takes more than a small form."""
    return endpoint in _registered().uploads


def rate(name: str) -> str:
    """Return the rate of a limit that a feature states."""
    return _registered().limits[name]


def _registered() -> _Registered:
    return cast(_Registered, current_app.extensions[EXTENSION])


def _refuse(what: str, names: set[str]) -> None:
    if names:
        raise ValueError(f"{what}: {', '.join(sorted(names))}")
