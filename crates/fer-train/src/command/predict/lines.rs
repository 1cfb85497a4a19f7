use anyhow::Result;

use crate::answer::Answer;

/// Answers as JSON lines: one object a line, the one that `--json` has as an element.
pub(super) fn of<'a>(answers: impl Iterator<Item = &'a Answer>) -> Result<String> {
    let mut text = String::new();
    for answer in answers {
        text += &serde_json::to_string(answer)?;
        text.push('\n');
    }
    Ok(text)
}
