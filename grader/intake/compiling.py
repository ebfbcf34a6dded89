"""Whether a text is Python: for this interpreter, or only for a newer one.

Runs in the limited child, from its text alone: the standard library and nothing of ours. Where the
text does not compile, newer syntax is written in the older way, f-strings by hand since no older
tokeniser can tell where they end. If that parses, the newer syntax was all that stood in the way.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys

# What is newer than the oldest Python that may grade, and the version that brought it.
F_STRING = "an f-string with its own quotes, a backslash or a comment in its braces"
TYPE_STATEMENT = "a 'type' statement"
TYPE_PARAMETERS = "type parameters in brackets behind a name"
BARE_EXCEPT = "'except' with several types and no parentheses"
T_STRING = "a t-string"
SINCE = {
    F_STRING: (3, 12),
    TYPE_STATEMENT: (3, 12),
    TYPE_PARAMETERS: (3, 12),
    BARE_EXCEPT: (3, 14),
    T_STRING: (3, 14),
}

_LITERAL = re.compile(r"([A-Za-z]{0,2})('''|\"\"\"|'|\")")
_PREFIXES = frozenset(("", "r", "u", "b", "br", "rb", "f", "fr", "rf", "t", "tr", "rt"))
_WORD = re.compile(r"\w+|.", re.DOTALL)
_NAMED_LETTER = re.compile(r"\\N\{[^}\n]*\}")
_CONVERSION = re.compile(r"!\s*\w+\s*")
_GENERIC = re.compile(r"\b(def|class|type)[ \t]+\w+[ \t]*(?=\[)")
_TYPE = re.compile(r"(?:^|(?<=[;:]))([ \t]*)type[ \t]+(?=\w+[ \t]*=(?!=))", re.MULTILINE)
_EXCEPT = re.compile(r"\b(except[ \t]*\*?[ \t]+)([^\n:(]+,[^\n:(]+)(?=:)")
_OPEN, _CLOSE = "([{", ")]}"

_Found = dict[str, int]  # newer syntax -> the first line that has it


def fault_of(source: bytes) -> list[object] | None:
    """Return line, kind and message of what is wrong with a source, None if it compiles.

    Of newer syntax the message says what it is, and a fourth entry the version, such as ``3.12``.
    """
    try:
        compile(source, "file", "exec", dont_inherit=True)
    except SyntaxError as error:
        fault = [error.lineno or 0, type(error).__name__, str(error.msg)]
        return _as_newer(source) or fault
    except ValueError as error:
        return [0, "SyntaxError", str(error)]
    except (RecursionError, MemoryError):
        return [0, "SyntaxError", "the code is nested too deeply"]
    return None


def _as_newer(source: bytes) -> list[object] | None:
    found: _Found = {}
    try:
        text = io.TextIOWrapper(io.BytesIO(source), "utf-8-sig").read()  # with plain line ends
        ast.parse(in_older_syntax(text, found))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    newer = [(line, what) for what, line in found.items() if SINCE[what] > sys.version_info[:2]]
    if not newer:
        return None
    line, what = min(newer)
    return [line, "SyntaxError", what, ".".join(map(str, SINCE[what]))]


def in_older_syntax(text: str, found: _Found) -> str:
    """Return a text that parses if `text` is Python of a newer version, and note what is newer.

    Lines keep their numbers; literals and comments lose what stands in them. ValueError or
    SyntaxError: the text is no Python at all.
    """
    text = _without_literals(text, found)
    text = _without_type_parameters(text, found)
    for pattern, written, what in (
        (_TYPE, r"\1", TYPE_STATEMENT),
        (_EXCEPT, r"\1(\2)", BARE_EXCEPT),
    ):
        first = pattern.search(text)
        if first:
            _note(found, what, text, first.start())
            text = pattern.sub(written, text)
    return text


def _note(found: _Found, what: str, text: str, at: int) -> None:
    if what not in found:
        found[what] = text.count("\n", 0, at) + 1


def _without_literals(text: str, found: _Found) -> str:
    kept, at = [], 0
    while at < len(text):
        match = _literal_at(text, at)
        if text[at] == "#":
            at = _end_of_line(text, at)
        elif match:
            end, fields = _literal(text, match)
            _judge(text, match, end, fields, found)
            breaks = "\n" * text.count("\n", at, end)
            kept.append(f"{'b' if 'b' in match[1].lower() else ''}'''{breaks}'''")
            at = end
        else:
            word = _WORD.match(text, at)
            kept.append(word[0] if word else "")
            at += len(kept[-1])
    return "".join(kept)


def _literal_at(text: str, at: int) -> re.Match[str] | None:
    match = _LITERAL.match(text, at)
    return match if match and match[1].lower() in _PREFIXES else None


def _judge(text: str, match: re.Match[str], end: int, fields: list[str], found: _Found) -> None:
    """Check the expressions of a literal, and note it if only a newer Python can read it."""
    for field in fields:
        older = in_older_syntax(field, {})
        if not older.strip():
            raise ValueError("nothing stands in the braces")
        ast.parse(f"({older}\n)", mode="eval")
    if "t" in match[1].lower():
        _note(found, T_STRING, text, match.start())
    elif fields and F_STRING not in found and not _parses(text[match.start() : end]):
        _note(found, F_STRING, text, match.start())


def _parses(literal: str) -> bool:
    try:
        ast.parse(literal, mode="eval")
    except SyntaxError:
        return False
    return True


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _literal(text: str, match: re.Match[str]) -> tuple[int, list[str]]:
    """Return where a literal ends, and the expressions in its braces."""
    prefix, quote, at = match[1].lower(), match[2], match.end()
    formatted = "f" in prefix or "t" in prefix
    fields: list[str] = []
    while at < len(text):
        named = _NAMED_LETTER.match(text, at) if formatted and "r" not in prefix else None
        if text.startswith(quote, at):
            return at + len(quote), fields
        if named:
            at = named.end()
        elif text[at] == "\\" and not (formatted and text[at + 1 : at + 2] in ("{", "}")):
            at += 2
        elif formatted and text.startswith("{{", at):
            at += 2
        elif formatted and text[at] == "{":
            at = _field(text, at + 1, quote, fields)
        elif text[at] == "\n" and len(quote) == 1:
            break
        else:
            at += 1
    raise ValueError("a literal has no end")


def _field(text: str, at: int, quote: str, fields: list[str]) -> int:
    """Read a replacement field from behind its brace; return where it ends."""
    begin, depth = at, 0
    while at < len(text):
        match, char = _literal_at(text, at), text[at]
        if match:
            at, _ = _literal(text, match)
        elif char == "#":
            at = _end_of_line(text, at)
        elif depth == 0 and (char in "}:" or (char == "!" and text[at + 1 : at + 2] != "=")):
            fields.append(_without_equals(text[begin:at]))
            return _behind_expression(text, at, quote, fields)
        else:
            depth += (char in _OPEN) - (char in _CLOSE)
            word = _WORD.match(text, at)
            at = word.end() if word else at + 1
    raise ValueError("a brace has no end")


def _without_equals(field: str) -> str:
    """Drop the ``=`` of ``{x = }``, which shows the expression too."""
    bare = field.rstrip()
    return bare[:-1] if re.search(r"[^=<>!]=$", bare) else field


def _behind_expression(text: str, at: int, quote: str, fields: list[str]) -> int:
    """Read conversion and format of a field; return where its closing brace ends."""
    conversion = _CONVERSION.match(text, at)
    at = conversion.end() if conversion else at
    if text.startswith(":", at):
        at += 1
        while at < len(text) and text[at] != "}":
            if text.startswith(quote, at):
                break
            at = _field(text, at + 1, quote, fields) if text[at] == "{" else at + 1
    if not text.startswith("}", at):
        raise ValueError("a brace has no end")
    return at + 1


def _without_type_parameters(text: str, found: _Found) -> str:
    """Take out what stands in brackets behind the name of a function, class or type."""
    kept, at = [], 0
    for match in _GENERIC.finditer(text):
        if match.start() < at:
            continue
        _note(found, TYPE_PARAMETERS, text, match.start())
        end, depth = match.end(), 0
        while end < len(text):
            depth += (text[end] in _OPEN) - (text[end] in _CLOSE)
            end += 1
            if depth == 0:
                break
        kept += [text[at : match.end()], "\\\n" * text.count("\n", match.end(), end)]
        at = end
    return "".join([*kept, text[at:]])


def main() -> None:
    """Answer a source with its fault as JSON, null if it has none."""
    json.dump(fault_of(sys.stdin.buffer.read()), sys.stdout)


if __name__ == "__main__":
    main()
