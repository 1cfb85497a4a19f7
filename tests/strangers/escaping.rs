//! Names from outside come back in what is written: tables, figures, model cards, messages.

use anyhow::{Context, Result, ensure};
use fer_data::{ClassNames, Split, printable};
use fer_train::config::Config;
use fer_train::metrics::{ConfusionMatrix, ProbabilityScore, Report};
use fer_train::predictions::{JudgedPicture, Predictions};
use fer_train::report::confusion_matrix;
use fer_train::report::model_card::ModelCard;
use fer_trials::{Effort, Trial};
use serde_json::json;

pub(crate) const TRIALS: [Trial; 2] = [
    Trial {
        name: "escaping::names",
        promise: "no name of a class or a picture is markup, a formula or a break in the table, the figure or the \
                  model card that has it, and tables that are read again give it back",
        run: names,
    },
    Trial {
        name: "escaping::letters",
        promise: "no letter that steers a terminal, or turns the order of reading, is shown as it is or is part of \
                  a name of a class",
        run: letters,
    },
];

const NAMES: [&str; 14] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; alert(1); '",
    "=cmd|' /C calc'!A1",
    "+1+1",
    "-0.5",
    "@SUM(A1)",
    "＝1",
    "'quoted",
    "a,b\"c",
    "a | b",
    "[x](javascript:alert(1))",
    "`code` **bold** & &lt;",
    "{{ 7 * 7 }} {% raw %}",
];

fn names(_: &Effort) -> Result<String> {
    let classes = ClassNames::new(NAMES)?;
    let count = NAMES.len();
    let mut matrix = vec![vec![0; count]; count];
    (0..count).for_each(|class| matrix[class][(class + 1) % count] = 7);
    let table = confusion_matrix::csv(classes.names(), &matrix)?;
    no_formula(table.as_bytes())?;
    let figure = confusion_matrix::svg(classes.names(), &matrix)?;
    no_markup(&figure, "the figure")?;
    let predictions = predictions(&classes);
    let table = predictions.to_csv()?;
    no_formula(&table)?;
    ensure!(
        Predictions::from_csv(&table[..])? == predictions,
        "it is not read as it was written"
    );
    let card = card(&classes)?;
    let plain = card.replace("\\<", "");
    no_markup(&plain, "the card")?;
    for line in card.lines().filter(|line| line.starts_with('|')) {
        let cells = line.replace("\\|", "").matches('|').count();
        ensure!(
            [3, 4, 5, 6, 8].contains(&cells),
            "{cells} borders of cells: {line}"
        );
    }
    Ok(format!(
        "{count} names in 2 tables, a figure and a model card"
    ))
}

/// No cell begins like a formula, save for the numbers that the program itself writes.
fn no_formula(table: &[u8]) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(table);
    for record in reader.records() {
        for cell in &record? {
            let starts = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝']);
            ensure!(!starts, "the cell {cell}");
        }
    }
    Ok(())
}

fn no_markup(text: &str, what: &str) -> Result<()> {
    for markup in ["<script", "<img", "onerror=alert(1)>"] {
        ensure!(!text.contains(markup), "{markup} in {what}");
    }
    Ok(())
}

fn predictions(classes: &ClassNames) -> Predictions {
    let count = classes.len();
    let picture = |class: usize| {
        let mut probabilities = vec![0.0; count];
        probabilities[class] = 1.0;
        JudgedPicture {
            picture: format!("{}\u{1b}\n.png", NAMES[class]),
            split: Split::Test,
            label: class,
            predicted: class,
            copy_of_train: false,
            votes_entropy: None,
            probabilities,
        }
    };
    Predictions {
        class_names: classes.clone(),
        pictures: (0..count).map(picture).collect(),
    }
}

fn card(classes: &ClassNames) -> Result<String> {
    let mut confusion = ConfusionMatrix::new(classes.len());
    (0..classes.len()).for_each(|class| confusion.add(class, class));
    let score = ProbabilityScore {
        loss: 0.5,
        ece: 0.1,
    };
    let report = Report::new("test", classes, &confusion, score, false);
    let training = json!({
        "data": NAMES[0], "data_hash": "abc", "division_hash": "", "split_rule": NAMES[1], "split_seed": 4,
        "dedup": true, "counts": {}, "seed": 9, "epochs": 7, "epoch": 7, "batch_size": 32,
        "learning_rate": 0.001,
    });
    let description = json!({
        "format": 1, "library": "fer-model 0", "architecture": { "arch": "cnn" }, "classes": classes,
        "preprocessing": { "side": 48, "grey": "bt601", "resize": "antialiased", "divisor": 255 },
        "training": training, "self_test": { "picture": "", "logits": [] },
    });
    let card = ModelCard {
        description: &serde_json::from_value(description).context("the description")?,
        reports: &[report],
        config: &Config::default(),
        agreement: None,
    };
    card.markdown()
}

/// Every letter of Unicode that has no place of its own on a line.
fn letters(_: &Effort) -> Result<String> {
    let bidirectional = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    let lines = "\u{2028}\u{2029}";
    let letters = (0..=0x9f)
        .filter_map(char::from_u32)
        .filter(|letter| letter.is_control());
    let letters: Vec<char> = letters
        .chain(bidirectional.chars())
        .chain(lines.chars())
        .collect();
    for &letter in &letters {
        let name = format!("a{letter}b");
        let shown = printable(&name);
        ensure!(
            !shown.contains(letter) && printable(&shown) == shown,
            "{shown:?}"
        );
        let refused = ClassNames::new([name])
            .err()
            .context("it is a class")?
            .to_string();
        ensure!(!refused.contains(letter), "{refused:?}");
    }
    Ok(format!("{} letters", letters.len()))
}
