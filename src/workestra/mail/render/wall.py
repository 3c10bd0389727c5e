"""The last to touch a mail's HTML: nh3 lets through what is on its list, and nothing else.

It trusts nothing that went before: every link, picture address, class and style is held against the rules once
more. nh3: "Ammonia".
"""

from __future__ import annotations

from collections.abc import Set

import nh3

from workestra.mail.render.links import safe_href
from workestra.mail.render.pictures import is_data
from workestra.mail.render.shape import TAGS
from workestra.mail.render.style import PROPERTIES, is_safe

OWN_CLASSES = frozenset({"blocked-image"})
_EVERYWHERE = frozenset({"align", "dir", "hidden", "lang", "style", "title", "valign", "width", "height"})
_OF = {
    "a": {"href"},
    "img": {"src", "alt", "border"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap"},
    "col": {"span"},
    "colgroup": {"span"},
    "font": {"face", "size"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value", "type"},
    "hr": {"size"},
    "br": {"clear"},
    "span": {"class"},
}
_RAW_TEXT = {"script", "style", "iframe", "noembed", "noframes", "title", "textarea", "xmp", "plaintext", "template"}


def walled(*, html: str, sources: Set[str]) -> str:
    """`html` as nh3 spells it. `sources`: the addresses from which pictures may load, besides data."""

    def permitted(element: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return value if is_safe(style=value) else None
        if attribute == "href":
            return value if safe_href(value=value) == value else None
        if attribute == "src":
            return value if value in sources and (is_data(address=value) or not value.startswith("data:")) else None
        if attribute == "class":
            return value if value in OWN_CLASSES else None
        return value

    return nh3.clean(
        html,
        tags=set(TAGS - {"body"}),
        clean_content_tags=_RAW_TEXT,
        attributes={"*": set(_EVERYWHERE), **{name: set(some) for name, some in _OF.items()}},
        attribute_filter=permitted,
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "tel", "data"},
        filter_style_properties=set(PROPERTIES),
    )
