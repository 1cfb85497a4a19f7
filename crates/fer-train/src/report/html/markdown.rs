//! A model card as HTML.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// The card as HTML. Its headings go two levels down, below those of the report; markup in it, which
/// only names from outside can hold, stays text, and nothing in it becomes a link or a picture.
pub(super) fn to_html(card: &str) -> String {
    let events = Parser::new_ext(card, Options::ENABLE_TABLES).filter_map(|event| match event {
        Event::Html(markup) | Event::InlineHtml(markup) => Some(Event::Text(markup)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Link { .. } | Tag::Image { .. })
        | Event::End(TagEnd::Link | TagEnd::Image) => None,
        Event::Start(Tag::Heading { level, .. }) => Some(Event::Start(Tag::Heading {
            level: lower(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        })),
        Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(lower(level)))),
        Event::Start(Tag::CodeBlock(_)) => Some(Event::Start(Tag::CodeBlock(
            pulldown_cmark::CodeBlockKind::Fenced(CowStr::Borrowed("")),
        ))),
        event => Some(event),
    });
    let mut written = String::new();
    html::push_html(&mut written, events);
    // Wide tables scroll by themselves, not the page.
    written
        .replace("<table>", "<div class=\"scroll\" tabindex=\"0\"><table>")
        .replace("</table>", "</table></div>")
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        _ => HeadingLevel::H5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_headings_are_kept_and_markup_is_text() {
        let card = "# Card <b>x</b>\n\n<script>alert(1)</script>\n\n| a | <img src=x onerror=y> |\n\
                    |---|--:|\n| [here](javascript:alert(1)) | ![p](https://example.org/p.png) |\n";
        let html = to_html(card);
        assert!(
            html.contains("<h3>Card &lt;b&gt;x&lt;/b&gt;</h3>"),
            "{html}"
        );
        assert!(
            html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{html}"
        );
        assert!(html.contains("&lt;img src=x onerror=y&gt;"), "{html}");
        assert!(html.contains("<td>here</td>"), "{html}");
        for markup in ["<script", "<img", "<a", "href", "src=\""] {
            assert!(!html.contains(markup), "{markup} in {html}");
        }
    }
}
