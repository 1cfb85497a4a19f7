use crate::arch::Architecture;
use crate::error::ModelError;

/// Widths of the three columns, borders and blanks included, as Keras lays them out.
const WIDTHS: [usize; 3] = [33, 24, 15];

/// The layer table of a network, as Keras's `model.summary()` prints it: channels last, no batch
/// size, parameters of four bytes each.
///
/// ```
/// use fer_model::{Architecture, layer_table};
///
/// let table = layer_table(&Architecture::named("cnn")?, 8)?;
/// assert!(table.contains("Total params: 839,176 (3.20 MB)"));
/// # Ok::<(), fer_model::ModelError>(())
/// ```
///
/// # Errors
/// Settings out of range.
pub fn layer_table(architecture: &Architecture, classes: usize) -> Result<String, ModelError> {
    let layers = architecture.layers(classes)?;
    let mut lines = vec![
        "Model: \"sequential\"".to_string(),
        rule("┏", "━", "┳", "┓"),
        row(
            "┃",
            &[
                "Layer (type)".into(),
                "Output Shape".into(),
                "Param #".into(),
            ],
        ),
        rule("┡", "━", "╇", "┩"),
    ];
    for (place, layer) in layers.iter().enumerate() {
        if place > 0 {
            lines.push(rule("├", "─", "┼", "┤"));
        }
        let output: Vec<String> = layer.output.iter().map(usize::to_string).collect();
        let shape = format!("(None, {})", output.join(", "));
        lines.push(row(
            "│",
            &[
                shortened(&format!("{} ({})", layer.name, layer.kind), WIDTHS[0] - 2),
                shape,
                thousands(layer.parameters),
            ],
        ));
    }
    lines.push(rule("└", "─", "┴", "┘"));
    let total: usize = layers.iter().map(|layer| layer.parameters).sum();
    let fixed: usize = layers.iter().map(|layer| layer.statistics).sum();
    for (name, count) in [
        ("Total", total),
        ("Trainable", total - fixed),
        ("Non-trainable", fixed),
    ] {
        let memory = memory(count);
        lines.push(format!(" {name} params: {} ({memory})", thousands(count)));
    }
    Ok(lines.join("\n") + "\n")
}

/// A cell's text, cut as Keras cuts it where it is too long.
fn shortened(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        Some(_) => text.chars().take(width - 1).chain(['…']).collect(),
        None => text.to_string(),
    }
}

fn rule(left: &str, line: &str, middle: &str, right: &str) -> String {
    let columns = WIDTHS.map(|width| line.repeat(width));
    format!("{left}{}{right}", columns.join(middle))
}

fn row(border: &str, cells: &[String; 3]) -> String {
    let [first, second, third] = WIDTHS.map(|width| width - 2);
    let [layer, shape, parameters] = cells;
    format!(
        "{border} {layer:<first$} {border} {shape:<second$} {border} {parameters:>third$} {border}"
    )
}

/// Memory of parameters of four bytes, in Keras's words.
fn memory(parameters: usize) -> String {
    let mut size = (parameters * 4) as f64;
    let mut unit = "B";
    for next in ["KB", "MB", "GB"] {
        if size < 1024.0 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    format!("{size:.2} {unit}")
}

/// A count with its thousands apart: 25,060.
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let written: Vec<String> = [0, 999, 1000, 25_060, 1_234_567].map(thousands).to_vec();
        assert_eq!(written, ["0", "999", "1,000", "25,060", "1,234,567"]);
    }
}
