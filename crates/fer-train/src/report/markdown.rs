//! Texts from outside in Markdown.

use fer_data::printable;

/// What means something in Markdown or in GitHub's form of it, wherever it stands: marks, cells of tables,
/// HTML, links with brackets and without.
const MARKS: [char; 14] = [
    '\\', '`', '*', '_', '[', ']', '<', '>', '|', '~', '&', '$', ':', '@',
];

/// What means something at the start of a line.
const STARTS: [char; 4] = ['#', '+', '-', '='];

/// `text` on one line, as it stands and with no other meaning.
pub(crate) fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for (place, letter) in printable(text).char_indices() {
        if MARKS.contains(&letter) || (place == 0 && STARTS.contains(&letter)) {
            written.push('\\');
        }
        written.push(letter);
    }
    written.replace("www.", "www\\.")
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser};

    use super::*;

    #[test]
    fn any_text_comes_back_as_text() {
        for text in [
            "<script>alert(1)</script>",
            "[here](javascript:alert(1))",
            "![x](https://example.org/x.png)",
            "<https://example.org> www.example.org a@b.org",
            "`a` **b** _c_ ~~d~~ $e$",
            "a | b \\| c",
            "&lt;b&gt;",
            "# heading",
            "- item",
            "happy",
        ] {
            let written = escaped(text);
            let mut found = String::new();
            for event in Parser::new_ext(&format!("{written}\n"), Options::all()) {
                match event {
                    Event::Text(part) => found += &part,
                    Event::Start(_) | Event::End(_) => {}
                    other => panic!("{other:?} of {written}"),
                }
            }
            assert_eq!(found, text, "{written}");
        }
    }

    #[test]
    fn a_text_stays_on_its_line() {
        assert_eq!(escaped("a\n# b\u{1b}"), "a\\\\n# b\\\\u{1b}");
    }
}
