"""Every sentence of the portal stands in every catalogue, translated, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po

import portal
from portal.platform.language import ENGLISH, FOLDER, LANGUAGES

CODES = [language.code for language in LANGUAGES if language is not ENGLISH]
KEYWORDS = {**DEFAULT_KEYWORDS, **parse_keywords(["lazy", "lazy_about:1c,2"])}
Id = str | tuple[str, ...]


@pytest.fixture(scope="module")
def sentences() -> set[tuple[Id, str | None]]:
    """What is said in the portal: texts with their contexts, read from the code anew."""
    with (FOLDER / "babel.cfg").open(encoding="utf-8") as settings:
        methods, options = parse_mapping_cfg(settings)
    found = extract_from_dir(Path(portal.__file__).parent, methods, options, KEYWORDS)
    template = Catalog()
    for _file, _line, message, _comments, context in found:
        template.add(message, context=context)
    return {(message.id, message.context) for message in template if message.id}


def catalogue(code: str) -> Catalog:
    with (FOLDER / f"{code}.po").open("rb") as text:
        return read_po(text, locale=code)


def messages(code: str) -> list[Message]:
    return [message for message in catalogue(code) if message.id]


def test_there_is_a_catalogue_for_every_language_and_no_other() -> None:
    assert {file.stem for file in FOLDER.glob("*.po")} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_has_every_sentence_and_no_other(
    code: str, sentences: set[tuple[Id, str | None]]
) -> None:
    known = {(message.id, message.context) for message in messages(code)}
    assert sentences - known == set(), "run .ci/translate and translate what is new"
    assert known - sentences == set(), "run .ci/translate, which leaves out what nobody says"
    assert not catalogue(code).obsolete


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_translated_and_keeps_its_places(code: str) -> None:
    wrong = {}
    whole = catalogue(code)
    for message in messages(code):
        said = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.fuzzy or not all(said):
            wrong[message.id] = "not translated"
        for error in message.check(whole):
            wrong[message.id] = str(error)
    assert wrong == {}
