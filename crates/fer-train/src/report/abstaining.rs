//! How sure a network must be to keep some risks, as a part of its model card.

use fer_model::file::{Abstention, AbstentionOrigin};
use fer_model::thousands;

/// The shares of wrong answers that the table is about.
pub(crate) const RISKS: [f64; 4] = [0.1, 0.05, 0.02, 0.01];

/// A table in Markdown; empty where the network keeps each of the risks that it can keep by answering
/// everything.
pub(super) fn markdown(abstention: &Abstention) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let kept = RISKS
        .into_iter()
        .filter_map(|risk| Some((risk, abstention.at_risk(risk)?)));
    let rows: String = kept
        .filter(|(_, step)| step.threshold > 0.0)
        .map(|(risk, step)| {
            let (threshold, coverage) = (percent(step.threshold), percent(step.coverage));
            format!("| {} | {threshold} | {coverage} |\n", percent(risk))
        })
        .collect();
    if rows.is_empty() {
        return rows;
    }
    let whose = match abstention.origin {
        AbstentionOrigin::Measured { .. } => "",
        AbstentionOrigin::CarriedOver { .. } => " of another network",
    };
    format!(
        "\nWhere only answers above a probability are taken, as the {} validation pictures{whose} have \
         it:\n\n| wrong at most | probability | answered |\n|--:|--:|--:|\n{rows}",
        thousands(abstention.pictures()),
    )
}

#[cfg(test)]
mod tests {
    use fer_model::file::AbstentionStep;

    use super::*;

    #[test]
    fn risks_that_take_abstaining_and_can_be_kept_have_a_row() {
        let step = |(risk, threshold, coverage)| AbstentionStep {
            risk,
            threshold,
            coverage,
        };
        let steps = [(0.08, 0.0, 1.0), (0.04, 0.6, 0.75), (0.015, 0.9, 0.25)];
        let mut abstention = Abstention {
            steps: steps.map(step).into(),
            origin: AbstentionOrigin::CarriedOver { pictures: 1200 },
        };
        let table = markdown(&abstention);
        assert!(
            table.contains("the 1,200 validation pictures of another network have it"),
            "{table}"
        );
        assert!(table.ends_with(
            "|--:|--:|--:|\n| 5.0 % | 60.0 % | 75.0 % |\n| 2.0 % | 90.0 % | 25.0 % |\n"
        ));
        abstention.steps.truncate(1);
        assert_eq!(markdown(&abstention), "");
    }
}
