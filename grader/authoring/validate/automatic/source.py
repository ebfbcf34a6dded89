"""A Python file as text and as a tree, and edits that replace a piece of the text.

Edits keep the text around them, so that a mutant differs from the original in one place only.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate


@dataclass(frozen=True)
class SourceEdit:
    """One change: the operator that asks for it, and the bytes that it replaces."""

    operator: str
    start: int
    end: int
    new: str


@dataclass(frozen=True)
class Source:
    """One file. Positions are offsets in bytes, as the columns of syntax trees are."""

    content: bytes

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; SyntaxError if there is none."""
        return ast.parse(self.content)

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends; line n of the tree is ``lines[n - 1]``."""
        return self.content.decode().split("\n")

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node that holds each node."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def modules(self) -> frozenset[str]:
        """The names under which modules are imported: ``np``, ``math``, ``torch``."""
        return frozenset(
            alias.asname or alias.name.partition(".")[0]
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        )

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(len(line) + 1 for line in self.content.split(b"\n"))]

    def start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """Return where a node begins."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        """Return where a node ends."""
        line, column = node.end_lineno, node.end_col_offset
        if line is None or column is None:
            raise ValueError("a tree that was not parsed has no positions")
        return self._starts[line - 1] + column

    def text(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        """Return the text of a node, without parentheses around it."""
        return self.content[self.start(node) : self.end(node)].decode()

    def line_of(self, position: int) -> int:
        """Return the number of the line that holds a byte."""
        return 1 + self.content.count(b"\n", 0, position)

    def replace(
        self, operator: str, node: ast.expr | ast.stmt | ast.keyword, new: str
    ) -> SourceEdit:
        """Return the edit that puts other text in a node's place."""
        return SourceEdit(operator, self.start(node), self.end(node), new)

    def swap(self, operator: str, first: ast.expr, second: ast.expr) -> SourceEdit:
        """Return the edit that puts two neighbours in each other's place."""
        between = self.content[self.end(first) : self.start(second)].decode()
        new = self.text(second) + between + self.text(first)
        return SourceEdit(operator, self.start(first), self.end(second), new)

    def replace_between(
        self, operator: str, left: ast.expr, right: ast.expr, pattern: str, new: str
    ) -> SourceEdit | None:
        """Return the edit of a sign that stands between two nodes; None if it is not found."""
        start = self.end(left)
        between = self.content[start : self.start(right)]
        plain = re.sub(rb"#[^\n]*", lambda comment: b" " * len(comment.group()), between)
        found = re.search(pattern.encode(), plain)
        if found is None:
            return None
        return SourceEdit(operator, start + found.start(), start + found.end(), new)

    def apply(self, edit: SourceEdit) -> bytes:
        """Return the file with an edit made."""
        return self.content[: edit.start] + edit.new.encode() + self.content[edit.end :]
