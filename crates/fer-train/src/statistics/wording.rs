//! Figures with their intervals as people read them.

use super::interval::Interval;

/// A share with its interval, `87.5 % (86.3–88.6 %)`; alone where there is none.
pub fn percent_within(share: f64, interval: Option<Interval>) -> String {
    let share = format!("{:.1} %", 100.0 * share);
    beside(share, interval.map(|interval| interval.percent()))
}

/// A score with its interval, `0.726 (0.690–0.755)`; alone where there is none.
pub fn score_within(score: f64, interval: Option<Interval>) -> String {
    let score = format!("{score:.3}");
    beside(score, interval.map(|interval| interval.decimals()))
}

/// A difference of shares with its interval, `+1.0 points (-0.2 to +1.7)`; alone where there is none.
pub fn points_within(difference: f64, interval: Option<Interval>) -> String {
    let difference = format!("{:+.1} points", 100.0 * difference);
    beside(difference, interval.map(|interval| interval.points()))
}

/// A p-value, `p = 0.064`; those that three decimals cannot tell from 0 are `p < 0.001`.
pub fn p_value_in_words(p_value: f64) -> String {
    match p_value < 0.001 {
        true => "p < 0.001".into(),
        false => format!("p = {p_value:.3}"),
    }
}

fn beside(figure: String, interval: Option<String>) -> String {
    match interval {
        Some(interval) => format!("{figure} ({interval})"),
        None => figure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_stands_before_its_interval_or_alone() {
        let interval = Some(Interval {
            low: 0.863,
            high: 0.886,
        });
        assert_eq!(percent_within(0.875, interval), "87.5 % (86.3–88.6 %)");
        assert_eq!(score_within(0.875, interval), "0.875 (0.863–0.886)");
        assert_eq!(
            points_within(0.875, interval),
            "+87.5 points (+86.3 to +88.6)"
        );
        assert_eq!(percent_within(0.875, None), "87.5 %");
    }

    #[test]
    fn small_p_values_are_not_called_0() {
        assert_eq!(p_value_in_words(0.0644), "p = 0.064");
        assert_eq!(p_value_in_words(0.000_99), "p < 0.001");
    }
}
