"""HTML in small: everything that is not marked safe is escaped."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Safe(str):
    """Text that already is HTML."""

    __slots__ = ()


def text(value: object) -> Safe:
    """Anything as HTML: escaped, quotes too, unless it is ``Safe``."""
    return value if isinstance(value, Safe) else Safe(html.escape(str(value), quote=True))


def tag(name: str, /, *content: object, **attributes: object) -> Safe:
    """An element; attributes with ``_`` for ``-``, ``class_`` for ``class``; those that are None are left out."""
    return Safe(f"{void(name, **attributes)}{''.join(text(part) for part in content)}</{name}>")


def void(name: str, /, **attributes: object) -> Safe:
    """An element without content or end, or the beginning of one."""
    given = [(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None]
    return Safe(f"<{name}{''.join(f' {key}={chr(34)}{text(value)}{chr(34)}' for key, value in given)}>")


def join(parts: Iterable[object], between: str = "") -> Safe:
    """Parts after one another."""
    return Safe(str(text(between)).join(text(part) for part in parts))


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Sequence[int] = (),
    class_: str = "",
) -> Safe:
    """A table that scrolls sideways in a region of its own; the first cell of a row is its heading.

    A cell may be a ``(content, style)`` pair.

    :param caption: what it holds; read by screen readers and shown above it.
    :param numbers: columns aligned to the right.
    """

    def cell(place: int, value: object) -> Safe:
        content, style = value if isinstance(value, tuple) else (value, None)
        kind = "n" if place in numbers else None
        if place == 0:
            return tag("th", content, scope="row", class_=kind)
        return tag("td", content, class_=kind, style=style)

    body = join(tag("tr", *(cell(place, value) for place, value in enumerate(row))) for row in rows)
    top = tag(
        "tr",
        *(tag("th", word, scope="col", class_="n" if place in numbers else None) for place, word in enumerate(head)),
    )
    inner = tag(
        "table", tag("caption", tag("span", caption)), tag("thead", top), tag("tbody", body), class_=class_ or None
    )
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)


def facts(pairs: Iterable[tuple[str, object]]) -> Safe:
    """Names and values."""
    return tag("dl", *(part for name, value in pairs for part in (tag("dt", name), tag("dd", value))))


def heat(share: float) -> str:
    """A background for a number from -1 (one colour) to 1 (another): faint enough for the text's contrast."""
    colour = "--gain" if share >= 0 else "--loss"
    return f"background:color-mix(in srgb, var({colour}) {min(abs(share), 1.0) * 45:.0f}%, transparent)"


def embedded_json(value: Mapping[str, object]) -> Safe:
    """JSON for inside of a ``script`` element: no character in it can end the element."""
    plain = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for mark, escaped in (
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        plain = plain.replace(mark, escaped)
    return Safe(plain)
