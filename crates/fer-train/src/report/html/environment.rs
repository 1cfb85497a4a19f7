//! The templates and how they write numbers.

use anyhow::Result;
use fer_data::printable;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, escape_formatter};

const TEMPLATES: [(&str, &str); 13] = [
    ("page.html", include_str!("templates/page.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("verdict.html", include_str!("templates/verdict.html")),
    ("classes.html", include_str!("templates/classes.html")),
    ("matrix.html", include_str!("templates/matrix.html")),
    ("training.html", include_str!("templates/training.html")),
    (
        "calibration.html",
        include_str!("templates/calibration.html"),
    ),
    ("hard.html", include_str!("templates/hard.html")),
    ("regions.html", include_str!("templates/regions.html")),
    ("situations.html", include_str!("templates/situations.html")),
    ("baselines.html", include_str!("templates/baselines.html")),
    ("groups.html", include_str!("templates/groups.html")),
    ("data.html", include_str!("templates/data.html")),
];

/// The templates, every value in them escaped, and a value that is not there an error.
pub(super) fn environment() -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() && printable(text) != text => {
            escape_formatter(out, state, &printable(text).into_owned().into())
        }
        _ => escape_formatter(out, state, value),
    });
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()?;
    environment.set_syntax(syntax);
    environment.add_filter("percent", percent);
    environment.add_filter("points", points);
    environment.add_filter("fixed", fixed);
    environment.add_filter("thousands", thousands);
    environment.add_filter("tone", super::matrix::tone);
    for (name, template) in TEMPLATES {
        environment.add_template(name, template)?;
    }
    Ok(environment)
}

/// A share in percent with one decimal, the sign after a space that does not break.
fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", 100.0 * share)
}

/// A difference of shares in points, hundredths of all, with its sign.
fn points(difference: f64) -> String {
    let shown = format!("{:+.1}", 100.0 * difference);
    shown.replace('-', "−")
}

fn fixed(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}").replace('-', "−")
}

fn thousands(count: u64) -> String {
    fer_model::thousands(count as usize)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use minijinja::context;

    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(percent(0.8751), "87.5\u{a0}%");
        assert_eq!(
            (points(-0.0123), points(0.1)),
            ("−1.2".into(), "+10.0".into())
        );
        assert_eq!(
            (fixed(-0.25, 3), thousands(3199)),
            ("−0.250".into(), "3,199".into())
        );
    }

    #[test]
    fn every_value_is_escaped_in_text_in_attributes_and_in_data() {
        let mut environment = environment().unwrap();
        let template = "<b title=\"{{ x }}\">{{ x }}</b><script>{{ x|tojson }}</script>";
        environment.add_template("test", template).unwrap();
        let x = "\"><script>alert('1')</script>&";
        let written = environment.get_template("test").unwrap();
        let written = written.render(context! { x }).unwrap();
        assert_eq!(written.matches("<script>").count(), 1, "{written}");
        assert_eq!(written.matches("</script>").count(), 1, "{written}");
        assert_eq!(written.matches('"').count(), 5, "{written}");
        assert!(environment.render_str("{{ missing }}", ()).is_err());
        let turned = environment.render_str("{{ x }}", context! { x => "gpj\u{202e}.exe" });
        assert_eq!(turned.unwrap(), "gpj\\u{202e}.exe");
    }
}
