"""Pictures that came with a mail are shown; pictures from elsewhere are not loaded, and people are told."""

from __future__ import annotations

import pytest
from tests.mail.render.rendering import rendered, text, tree
from tests.mail.render.vectors import OUT

LOGO = {"id": "1", "name": "logo.png", "type": "image/png", "cid": "logo@1", "inline": True}
SCAN = {"id": "2", "name": "image001.png", "type": "image/png", "cid": "", "inline": True}
DRAWING = {"id": "3", "name": "drawing.svg", "type": "image/svg+xml", "cid": "svg@1", "inline": True}
UNSURE = {"id": "4", "name": "photo.jpg", "type": "application/octet-stream", "cid": "<photo@1>", "inline": False}


def sources(html: str, *attachments: dict[str, object]) -> list[str]:
    return [str(one) for one in tree(rendered(html, attachments=attachments)).xpath("//img/@src")]


@pytest.mark.parametrize(
    ("address", "index"),
    [
        ("cid:logo@1", 0),
        ("CID:LOGO@1", 0),
        ("cid:%3Clogo@1%3E", 0),
        ("cid:logo%401", 0),
        ("cid:image001.png@01DC5A11.22334455", 1),
        ("cid:IMAGE001.PNG", 1),
        ("cid:photo@1", 3),
    ],
)
def test_a_picture_named_by_content_id_or_name_is_served_from_its_attachment(address: str, index: int) -> None:
    assert sources(f"<img src='{address}'>", LOGO, SCAN, DRAWING, UNSURE) == [f"/m/7/att/{index}?inline=1"]


def test_a_content_id_that_nobody_knows_is_asked_for_when_the_picture_is_shown() -> None:
    assert sources("<img src='cid:ii_abc/../x@y'>", LOGO) == ["/m/7/cid/ii_abc/../x@y"]


def test_two_files_of_one_name_are_told_apart_by_asking() -> None:
    assert sources("<img src='cid:image001.png@1'>", SCAN, SCAN) == ["/m/7/cid/image001.png@1"]


def test_an_attached_drawing_that_could_run_is_not_shown() -> None:
    page = rendered("<img src='cid:svg@1' alt=plan>", attachments=[DRAWING])
    assert tree(page).xpath("//img") == []
    assert "plan" in text(page)
    assert page.blocked_images == 0


def test_raster_data_is_shown_and_other_data_is_not() -> None:
    dot = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
    assert sources(f"<img src='{dot}'><img src='data:image/svg+xml;base64,PHN2Zz4='>") == [dot]


def test_a_blocked_picture_leaves_a_box_of_its_size_with_its_words() -> None:
    page = rendered(f"<img src='{OUT}/hero.png' width=600 height=90 alt='Autumn &lt;sale&gt;'>")
    (box,) = tree(page).xpath("//span[@class='blocked-image']")
    assert box.text == "Autumn <sale>"
    assert "width:600px" in box.get("style")
    assert "height:90px" in box.get("style")
    assert page.blocked_images == 1
    assert 'data-images="blocked"' in page.html


def test_a_tracking_pixel_vanishes_and_still_counts() -> None:
    for pixel in ("width=1 height=1", "style='display:none'", "style='width:1px'", "height=0"):
        page = rendered(f"<p>x</p><img src='{OUT}/p.gif' {pixel}>")
        assert tree(page).xpath("//span") == []
        assert page.blocked_images == 1


@pytest.mark.parametrize(
    ("html", "count"),
    [
        (f"<table background='{OUT}/a.png'><tr><td>x</table>", 1),
        (f"<p style='background:url({OUT}/a.png)'>x</p>", 1),
        (f"<style>.x{{background-image:url('{OUT}/a.png')}}</style><p>x</p>", 1),
        (f"<video poster='{OUT}/a.png'></video>", 1),
        (f"<input type=image src='{OUT}/a.png'>", 1),
        (f"<svg><image href='{OUT}/a.png'/></svg>", 1),
        (f"<img srcset='{OUT}/a.png 2x'>", 1),
        (f"<img src='{OUT}/a.png'><img src='//evil.invalid/b.png'>", 2),
        ("<img src='cid:x@y'><p style='background:url(cid:x@y)'>x</p>", 0),
        ("<img src='file:///c:/x.png'><img>", 0),
    ],
)
def test_what_was_blocked_is_counted_in_every_form(html: str, count: int) -> None:
    assert rendered(html).blocked_images == count


def test_a_mail_without_remote_pictures_shows_no_bar() -> None:
    assert "data-images" not in rendered("<p>Hello</p>").html
