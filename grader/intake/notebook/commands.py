"""What only IPython runs, made Python: magics, shell lines, help, prompts, a cell's indentation.

Runs in the limited child, from its text alone: the standard library and nothing of ours. A line
becomes a comment, or within a block `pass` and a comment, so that lines keep their numbers and a
block its body. Text that is Python already stays as it is.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import textwrap

# NotebookCell magics whose cell is Python, and whose is not; of others the cell's own text decides.
_OVER_PYTHON = frozenset(
    "time timeit capture prun debug file writefile python python3 pypy".split()
)
_OVER_OTHERS = frozenset(
    "! bash sh script cmd system sx sql R html HTML javascript js latex markdown svg SVG perl ruby "
    "cython julia".split()
)
# Commands that notebooks write without a sign, as IPython allows where a cell has nothing else.
_BARE = frozenset(
    "pip pip3 conda mamba uv apt apt-get git wget curl unzip tar ls cd cp mv rm mkdir rmdir cat "
    "pwd echo head tail touch which nvidia-smi python python3 load_ext reload_ext matplotlib run "
    "time timeit who whos env config pylab".split()
)
_WORDS = re.compile(
    r"([\w-]+) +(?![-+*/%&|^@<>]*=)[^(\[:,]"
)  # a word, and no work of Python's on it
_ESCAPES = "!%?,;/"
_PROMPT = re.compile(r"\s*(>>>|\.\.\.)(?:[ \t]|$)|(?:In \[\d+\]:|\s*\.{3,}:)(?: |$)")
_NUMBERED = re.compile(r"(?:#.*\n)*In \[\d+\]: ")  # which Python takes for an annotation
_FIRST_PROMPT = re.compile(r"\s*>>>(?:[ \t]|$)|In \[\d+\]: ")
_TOKEN = re.compile(
    r"""(?P<comment>\#.*) | (?P<quote>'{3}|"{3}|['"]) | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | (?P<odd>\? | !(?!=) | =[ \t]*%(?=[ \t]*[A-Za-z_])) | (?P<continued>\\$)""",
    re.VERBOSE,
)


class Lexer:
    """Follows Python line by line: strings, brackets and continued lines, nothing more."""

    def __init__(self) -> None:
        self._quote = ""
        self._depth = 0
        self._continued = False
        self.in_string = False

    @property
    def at_start(self) -> bool:
        """Whether the next line begins a statement."""
        return not (self._quote or self._depth or self._continued)

    def feed(self, line: str) -> None:
        """Read one line, without its end."""
        self._read(line)
        self.in_string = bool(self._quote)

    def is_odd(self, line: str) -> bool:
        """Tell whether a line that begins a statement holds what no statement of Python can.

        The line is not fed: what a shell command opens, Python does not.
        """
        probe = Lexer()
        return probe._read(line)

    def _read(self, line: str) -> bool:
        at, odd, self._continued = 0, False, False
        while True:
            if self._quote:
                at = self._string_end(line, at)
                if at < 0:
                    return odd
            found = _TOKEN.search(line, at)
            if found is None:
                return odd
            at = found.end()
            odd |= self._take(found)

    def _string_end(self, line: str, at: int) -> int:
        """Return where the open string ends; -1 if it goes on, or breaks off, with the line."""
        closing = re.compile(rf"\\.|{self._quote}")
        while found := closing.search(line, at):
            at = found.end()
            if found[0] == self._quote:
                self._quote = ""
                return at
        if len(self._quote) == 1 and not line.endswith("\\"):
            self._quote = ""
        return -1

    def _take(self, found: re.Match[str]) -> bool:
        kind = found.lastgroup
        if kind == "quote":
            self._quote = found[0]
        elif kind == "open":
            self._depth += 1
        elif kind == "close":
            self._depth = max(0, self._depth - 1)
        elif kind == "continued":
            self._continued = True
        return kind == "odd" and not self._depth


def as_python(source: str) -> tuple[str, list[str]]:
    """Return a cell's text as a module, and the lines of it that were commands."""
    if is_python(source) and not _NUMBERED.match(source):
        return source, []
    text, commands = _without_commands(source)
    return (text if is_python(text) else _future_first(text)), commands


def _without_commands(source: str) -> tuple[str, list[str]]:
    lines = _without_prompts(textwrap.dedent(source).split("\n"))
    first = next((at for at, line in enumerate(lines) if line[:1] not in ("", "#")), 0)
    if lines[first].startswith("%%") and _is_foreign(lines[first], lines[first + 1 :]):
        return "\n".join(_comment(line, "") for line in lines), _texts(lines[first:])
    return _by_line(lines)


def is_python(source: str) -> bool:
    """Tell whether a text compiles."""
    try:
        compile(source, "cell", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _future_first(text: str) -> str:
    """Move imports from ``__future__`` to the first line, if that makes the text Python.

    IPython compiles each statement by itself and takes them anywhere, also below a command.
    """
    lines = text.split("\n")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    moved = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    names = [alias.name for node in moved for alias in node.names]
    for node in moved:
        for at in range(node.lineno - 1, node.end_lineno or node.lineno):
            if ";" in lines[at]:  # another statement stands beside it
                return text
            lines[at] = f"# {lines[at]}"
    first = f"from __future__ import {', '.join(names)}"
    if lines[0].strip() and not lines[0].startswith("#"):
        lines.insert(0, first)
    else:
        lines[0] = f"{first}  {lines[0]}".rstrip()
    made = "\n".join(lines)
    return made if names and is_python(made) else text


def _is_foreign(magic: str, lines: list[str]) -> bool:
    """Tell whether the lines below a cell magic are no Python."""
    name = (magic[2:].split() or [""])[0]
    if name in _OVER_PYTHON or name in _OVER_OTHERS:
        return name in _OVER_OTHERS
    return not is_python(_by_line(lines)[0])


def _by_line(lines: list[str]) -> tuple[str, list[str]]:
    lexer, made, commands = Lexer(), [], []
    within = False  # a command that goes on in the next line
    for line in lines:
        text = line.strip()
        if within or (lexer.at_start and _is_command(lexer, text)):
            made.append(_comment(line, "" if within else "pass  "))
            commands.append(text)
            within = line.endswith("\\")
        else:
            made.append(line)
            lexer.feed(line)
    return "\n".join(made), commands


def _is_command(lexer: Lexer, text: str) -> bool:
    if not text:
        return False
    if text[0] in _ESCAPES or lexer.is_odd(text):
        return True
    bare = _WORDS.match(text)
    return bare is not None and bare[1] in _BARE and not is_python(text)


def _comment(line: str, within_a_block: str) -> str:
    """Return a line that says the same and does nothing; the body of a block stays one."""
    text = line.lstrip()
    if not text or text.startswith("#"):
        return line
    indent = line[: len(line) - len(text)]
    return f"{indent}{within_a_block if indent else ''}# {text}"


def _texts(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


def _without_prompts(lines: list[str]) -> list[str]:
    """Take off the prompts of a session that was pasted; those within a text stay."""
    if not any(map(_FIRST_PROMPT.match, lines)):
        return lines
    lexer, kept, bare = Lexer(), [], False
    for line in lines:
        found = None if lexer.in_string and bare else _PROMPT.match(line)
        if not lexer.in_string:
            bare = found is None  # a text that begins without a prompt has none of its own
        kept.append(line[found.end() :] if found else line)
        lexer.feed(kept[-1])
    return kept


def main() -> None:
    """Answer a JSON list of texts with a list of (text, commands)."""
    sources = json.loads(sys.stdin.buffer.read())
    json.dump([as_python(source) for source in sources], sys.stdout)


if __name__ == "__main__":
    main()
