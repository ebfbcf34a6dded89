"""In which language the portal speaks to its reader, and saying something in it.

Sentences stand in the code in English. The folder `portal/translations` has them in other
languages, a catalogue each, which is read as it lies there: nothing is compiled before the portal
starts. `.ci/translate` brings the catalogues up to the code.

Where nobody reads, everything is said in English: on the command line, in logs, by a worker. What
is stored is in English too, whoever acted: `source` is a phrase before translation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache, wraps
from io import BytesIO
from pathlib import Path
from typing import Any, ParamSpec, cast

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, current_app, has_request_context, request, session
from flask.sansio.app import App
from flask_babel import (  # type: ignore[import-untyped]
    Babel,
    Domain,
    force_locale,
    get_locale,
    get_translations,
)

EXTENSION = "portal.language"
FOLDER = Path(__file__).resolve().parents[1] / "translations"
_CHOSEN = "language"  # in the session: what somebody chose before logging in

P = ParamSpec("P")


@dataclass(frozen=True)
class PageLanguage:
    """A language that pages can be read in."""

    code: str  # what is stored, and the name of its catalogue
    tag: str  # what browsers call it
    name: str  # by itself
    moment: str  # how it writes an instant, as Babel's patterns say it


ENGLISH = PageLanguage("en", "en", "English", "EEE d MMM y, HH:mm")
CHINESE = PageLanguage("zh", "zh-Hans", "中文", "y年M月d日 EEE HH:mm")
LANGUAGES = (ENGLISH, CHINESE)
_BY_CODE = {language.code: language for language in LANGUAGES}


@dataclass(frozen=True)
class Phrase:
    """Words that are chosen where they are shown, in the language of whoever reads then."""

    text: str  # in English, with places such as %(name)s
    values: Mapping[str, object] = field(default_factory=dict)
    about: str = ""  # what tells it from the same words about something else

    def __str__(self) -> str:
        if self.about:
            return str(get_translations().upgettext(self.about, self.text)) % self.values
        return gettext(self.text, **self.values)

    @property
    def source(self) -> str:
        """The words in English."""
        return self.text % {name: getattr(one, "source", one) for name, one in self.values.items()}

    def filled(self, values: Mapping[str, object]) -> Phrase:
        """Return the phrase with these values in its places."""
        return replace(self, values=values)


def lazy(text: str, /, **values: object) -> Phrase:
    """Return a phrase of this text; its extraction into the catalogues goes by this name."""
    return Phrase(text, values)


def lazy_about(about: str, text: str, /) -> Phrase:
    """Return a phrase whose English words are said of other things too."""
    return Phrase(text, about=about)


def source(words: Phrase | str) -> str:
    """Return words as they are stored."""
    return words.source if isinstance(words, Phrase) else words


def gettext(text: str, /, **values: object) -> str:
    """Say a text in the reader's language, with the values in its places."""
    return str(get_translations().ugettext(text)) % values


def ngettext(singular: str, plural: str, num: int, /, **values: object) -> str:
    """Say one of two texts by a number, which stands in it as ``%(num)s``."""
    return str(get_translations().ungettext(singular, plural, num)) % {"num": num, **values}


def page_language() -> PageLanguage:
    """Return the language in which this request is answered; English where there is none."""
    locale = get_locale()
    return _BY_CODE[locale.language] if locale else ENGLISH


def titled(thing: Any) -> str:
    """Return the title of a lab, a part or an item, in Chinese to whoever reads that."""
    chinese = thing.title_zh if page_language() is CHINESE else ""
    return str(chinese or thing.title)


def known(code: str | None) -> PageLanguage | None:
    """Return the language of a code; None if there is none."""
    return _BY_CODE.get(code or "")


def choose(code: str | None) -> None:
    """Remember a language for this browser, whose account may have another; None forgets it."""
    session.pop(_CHOSEN, None)
    if code:
        session[_CHOSEN] = code


def empty_session() -> None:
    """Forget everything that the session holds but the language."""
    chosen = session.get(_CHOSEN)
    session.clear()
    choose(chosen)


@contextmanager
def speaking(code: str | None) -> Iterator[None]:
    """Speak a language that was chosen in this request; None is what the browser asks for."""
    with force_locale(code or _asked_for()):
        yield


def in_this_language(say: Callable[P, str]) -> Callable[P, str]:
    """Return `say` for use after this request, still in its language."""
    app, code = cast(Any, current_app)._get_current_object(), page_language().code

    @wraps(say)
    def later(*args: P.args, **kwargs: P.kwargs) -> str:
        with app.app_context(), force_locale(code):
            return say(*args, **kwargs)

    return later


@lru_cache
def catalogue(code: str) -> NullTranslations:
    """Return the sentences of a language; of English, which they are written in, none."""
    if code == ENGLISH.code:
        return NullTranslations()
    compiled = BytesIO()
    with (FOLDER / f"{code}.po").open("rb") as text:
        write_mo(compiled, read_po(text, locale=code))
    compiled.seek(0)
    return Translations(compiled)


class _Catalogues(Domain):  # type: ignore[misc]
    """Finds the catalogue of the language that is spoken."""

    def get_translations(self) -> NullTranslations:
        """Return it."""
        return catalogue(page_language().code)


class _Babel(Babel):  # type: ignore[misc]
    """Flask-Babel on catalogues that need no compiling."""

    domain_instance = _Catalogues()


@dataclass
class _Spoken:
    """What an app knows of languages."""

    own: Callable[[], str | None]  # the code that the person chose; None if they did not
    words: dict[type[StrEnum], Mapping[Any, Phrase]]


def ask_first(app: App, own: Callable[[], str | None]) -> None:
    """Let a feature say which language the person who asks has chosen for good."""
    _spoken(app).own = own


def name(app: App, words: Mapping[type[StrEnum], Mapping[Any, Phrase]]) -> None:
    """Take in what a feature calls the members of its enumerations; they are stored as codes."""
    _spoken(app).words.update(words)


def word(member: StrEnum) -> str:
    """Return what a member of an enumeration is called."""
    words = _spoken(current_app).words
    return str(words[type(member)][member])


def _spoken(app: App) -> _Spoken:
    return cast(_Spoken, app.extensions[EXTENSION])


def _select() -> str:
    """Choose a language: the account's, else this browser's choice, else what it asks for."""
    if not has_request_context():
        return ENGLISH.code
    own = known(_spoken(current_app).own())
    return own.code if own else _asked_for()


def _asked_for() -> str:
    chosen = known(session.get(_CHOSEN))
    return chosen.code if chosen else _best_of_browser()


def _best_of_browser() -> str:
    return request.accept_languages.best_match(list(_BY_CODE)) or ENGLISH.code


def init_app(app: Flask) -> None:
    """Let pages be said in the reader's language."""
    app.extensions[EXTENSION] = _Spoken(own=lambda: None, words={})
    _Babel(app, locale_selector=_select)
    app.add_template_filter(titled)
    app.add_template_filter(word)
    app.context_processor(lambda: {"page_language": page_language(), "languages": LANGUAGES})
