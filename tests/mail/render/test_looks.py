"""Mail keeps the looks that its author gave it, as far as they are harmless, in light and in dark."""

from __future__ import annotations

import pytest
from tests.mail.render.rendering import rendered, text, tree


def style_of(html: str, element: str) -> str:
    (found,) = tree(rendered(html)).xpath(f"//div[@class='mail-text']//{element}")
    return str(found.get("style"))


def test_rules_of_a_style_element_survive_as_inline_styles() -> None:
    html = (
        "<html><head><style><!-- /* x */ p.MsoNormal, li.x{margin:0cm;color:navy} #top > b {font-weight:bold}"
        " @media screen{p{color:red}} a:hover{color:red} --></style></head>"
        "<body><p class=MsoNormal>one</p><div id=top><b>two</b></div></body></html>"
    )
    assert style_of(html, "p").replace(" ", "") == "margin:0cm;color:navy"
    assert style_of(html, "b").replace(" ", "") == "font-weight:bold"


def test_the_bodys_background_survives_around_the_mail() -> None:
    html = "<html><body bgcolor='#f4f4f4' text=navy style='font-family:\"Segoe UI\",Arial'><p>x</p></body></html>"
    style = style_of(html, "div")
    assert "background-color:#f4f4f4" in style
    assert "color:navy" in style
    assert "Segoe UI" in style


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hello</p>",
        "<p style='color:black;background:white'>Hello</p>",
        "<p style='color: rgb(0, 0, 0); background-color: rgb(255, 255, 255); font-size:11pt'>Hello</p>",
        "<font color='#000000'>Hello</font>",
        "<body bgcolor=white text=black>Hello",
        "<span style='color:windowtext'>Hello</span>",
    ],
)
def test_black_on_white_follows_the_theme(html: str) -> None:
    page = rendered(html)
    assert "data-paper" not in page.html
    assert tree(page).xpath("//body/@class") == ["bare"]
    styles = " ".join(tree(page).xpath("//@style"))
    assert "color:black" not in styles.replace(" ", "")
    assert "background" not in styles


@pytest.mark.parametrize(
    "html",
    [
        "<p style='color:#c00'>Hello</p>",
        "<table bgcolor=navy><tr><td><font color=white>Hello</font></table>",
        "<style>p{background:#eee}</style><p>Hello</p>",
        "<p style='color:black'>dark <b style='color:white;background:#000'>on light</b></p>",
    ],
)
def test_mail_with_colours_of_its_own_stands_on_white_paper(html: str) -> None:
    page = rendered(html)
    assert "data-paper" in page.html
    assert tree(page).xpath("//body/@class") == ["coloured"]


def test_text_keeps_its_lines_and_gets_its_links() -> None:
    page = rendered(
        "Hi <Ana>,\r\n  see https://example.org/a_(b)?x=1&y=2, www.example.org.\nben@example.org\n", kind="text"
    )
    assert tree(page).xpath("//body/@class") == ["plain"]
    assert tree(page).xpath("//a/@href") == [
        "https://example.org/a_(b)?x=1&y=2",
        "http://www.example.org",
        "mailto:ben@example.org",
    ]
    assert "Hi <Ana>,\n  see https" in tree(page).xpath("string(//div[@class='mail-text'])")


@pytest.mark.parametrize("html", ["<p>one<p>two<p>three", "<ul><li>one<li>two<li>three</ul>", "one<br>two<br>three"])
def test_unclosed_markup_is_read_as_browsers_read_it(html: str) -> None:
    root = tree(rendered(html))
    assert " ".join(root.xpath("//div[@class='mail-text']//text()")).split() == ["one", "two", "three"]
    assert root.xpath("//p//p | //li//li") == []


def test_a_thousand_unclosed_paragraphs_stay_side_by_side() -> None:
    root = tree(rendered("<p>line" * 1000))
    assert len(root.xpath("//div[@class='mail-text']/p")) == 1000


def test_tables_without_end_tags_keep_rows_and_cells() -> None:
    root = tree(rendered("<table><tr><td>a<td>b<tr><td>c<td>d</table>after"))
    assert [len(row.xpath("./td")) for row in root.xpath("//tr")] == [2, 2]
    assert root.xpath("//table")[0].tail == "after"


def test_words_inside_unknown_elements_stay() -> None:
    assert text(rendered("<o:p>one</o:p> <custom-x>two</custom-x> <label>three</label> <button>four</button>")) == (
        "one two three four"
    )


def test_names_of_the_page_cannot_be_borrowed_by_a_mail() -> None:
    root = tree(rendered("<p class='clip-note blocked-image' id=x>Show all of it</p><a name=top></a>"))
    assert root.xpath("//div[@class='mail-text']//*/@class[. != 'mail-text'] | //@id | //a/@name") == []
