"""Markdown as HTML that is safe whoever wrote it."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup


def render_markdown(text: str, *, with_images: bool = True) -> Markup:
    """Return Markdown as HTML below a page's own title.

    Raw HTML is shown as text; the first top heading is left out, since the page has it already.
    `with_images` is for our own texts: in a student's, an image could be of anywhere.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    if not with_images:
        markdown.disable("image")
    tokens = _without_title(markdown.parse(text))
    # Safe: the renderer escapes text and attributes, and raw HTML is switched off.
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704


def _without_title(tokens: list[Token]) -> list[Token]:
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    for token in tokens:
        if token.type in {"heading_open", "heading_close"} and token.tag in {"h1", "h2", "h3"}:
            token.tag = f"h{int(token.tag[1]) + 1}"
        if token.type in {"table_open", "fence", "code_block"}:
            token.attrSet("tabindex", "0")  # wide ones scroll, by keyboard too
    return tokens
