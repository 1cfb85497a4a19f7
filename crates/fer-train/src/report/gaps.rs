//! The figures by group of people, as a section of the model card.

use fer_model::thousands;

use crate::metrics::{Group, GroupFigures, GroupReport, LEAST_PICTURES_OF_GROUP, Report};
use crate::report::markdown::escaped;
use crate::statistics::{Exchanged, p_value_in_words, percent_within, score_within};

/// The section, of the last of these reports.
pub(super) fn gaps_by_group(reports: &[Report]) -> String {
    let Some(report) = reports.last().filter(|report| !report.groups.is_empty()) else {
        return "## Gaps by group\n\nNot measured: the data name no age, gender, country or other group \
                of the people they show.\n"
            .into();
    };
    let mut text = format!(
        "## Gaps by group\n\nOn the {} pictures. A group of fewer than {LEAST_PICTURES_OF_GROUP} gets no \
         figures.\n",
        report.split
    );
    for group in &report.groups {
        text += &column(group);
    }
    text
}

fn column(report: &GroupReport) -> String {
    let judged: Vec<(&Group, GroupFigures)> = report
        .groups
        .iter()
        .filter_map(|group| group.figures.map(|figures| (group, figures)))
        .collect();
    let small = report.groups.len() - judged.len();
    let name = escaped(&report.column);
    if judged.is_empty() {
        return format!("\nBy {name}: too few to say; its {small} groups are all too small.\n");
    }
    let mut text = format!("\n| {name} | pictures | accuracy | macro F1 |\n|---|--:|--:|--:|\n");
    for (group, figures) in judged {
        text += &format!(
            "| {} | {} | {} | {} |\n",
            escaped(&group.value),
            thousands(group.n as usize),
            percent_within(figures.accuracy, Some(figures.accuracy_interval)),
            score_within(figures.macro_f1, Some(figures.macro_f1_interval))
        );
    }
    if small > 0 {
        text += &format!("\nFurther groups, with too few pictures to say: {small}.\n");
    }
    if let Some(gap) = &report.gap {
        let exchanged = match gap.exchanged {
            Exchanged::Pictures => "pictures",
            Exchanged::Subjects => "whole subjects",
            Exchanged::WithinSubjects => "each subject's pictures",
        };
        text += &format!(
            "\nThe greatest gap: {:.1} points of accuracy from {} to {}; {} in a permutation test that \
             shuffles {exchanged}.\n",
            100.0 * gap.accuracy_difference,
            escaped(&gap.lowest),
            escaped(&gap.highest),
            p_value_in_words(gap.p_value)
        );
    }
    text
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use fer_data::ClassNames;

    use super::*;
    use crate::metrics::{ConfusionMatrix, JudgedPictures, ProbabilityScore};

    fn report(values: &[Option<&str>]) -> Report {
        let labels = vec![0; values.len()];
        let predicted: Vec<usize> = (0..values.len())
            .map(|picture| usize::from(picture % 4 == 0 && picture < 40))
            .collect();
        let judged = JudgedPictures {
            labels: &labels,
            predicted: &predicted,
            subjects: &vec![None; values.len()],
            classes: 2,
        };
        let names = ClassNames::new(["happy", "sad"]).unwrap();
        let score = ProbabilityScore {
            loss: 0.0,
            ece: 0.0,
        };
        let matrix = ConfusionMatrix::new(2);
        Report {
            groups: vec![GroupReport::new("gender", values, judged)],
            ..Report::new("test", &names, &matrix, score, false)
        }
    }

    #[test]
    fn groups_stand_with_their_intervals_and_the_gap_with_its_test() {
        let mut values = vec![Some("women"); 40];
        values.extend([Some("men"); 40]);
        values.extend([Some("a|b"), None]);
        let text = gaps_by_group(&[report(&values)]);
        for line in [
            "On the test pictures. A group of fewer than 30 gets no figures.",
            "| gender | pictures | accuracy | macro F1 |",
            "| women | 40 | 75.0 % (59.8–85.8 %) | ",
            "| men | 40 | 100.0 % (91.2–100.0 %) | 1.000 (1.000–1.000) |",
            "Further groups, with too few pictures to say: 1.",
            "25.0 points of accuracy from women to men; p = 0.002 in a permutation test that shuffles pictures.",
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
        assert!(!text.contains("a|b"));
    }

    #[test]
    fn no_value_breaks_the_table() {
        let text = gaps_by_group(&[report(&[Some("a|b\nc"); 30])]);
        assert!(text.contains("| a\\|b\\\\nc | 30 |"), "{text}");
    }

    #[test]
    fn small_groups_and_none_are_told_apart() {
        let small = gaps_by_group(&[report(&[Some("women"), Some("men")])]);
        assert!(
            small.contains("By gender: too few to say; its 2 groups"),
            "{small}"
        );
        assert!(gaps_by_group(&[]).contains("Not measured"));
    }
}
