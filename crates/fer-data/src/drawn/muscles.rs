//! How strongly each action unit pulls in one face.

use rand::{Rng, RngExt};

use super::Side;
use crate::expression::ActionUnit::{self, *};
use crate::expression::Expression;

/// The strength of every action unit on either half of a face: 0 is relaxed, 1 is the strongest.
///
/// ```
/// use fer_data::drawn::{Muscles, Side};
/// use fer_data::ActionUnit;
///
/// let mut muscles = Muscles::relaxed();
/// muscles.set(ActionUnit::LipCornerPuller, 0.8);
/// muscles.set_side(ActionUnit::LipCornerPuller, Side::Left, 0.0);
/// assert_eq!(muscles.get(ActionUnit::LipCornerPuller, Side::Right), 0.8);
/// assert_eq!(muscles.get(ActionUnit::LipCornerPuller, Side::Middle), 0.4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Muscles {
    /// By unit, then left and right as seen in the picture.
    strength: [[f32; 2]; ActionUnit::ALL.len()],
}

/// A unit as it occurs in an expression: its full strength, and how often it takes part.
type Share = (ActionUnit, f32, f64);

impl Muscles {
    /// Every unit at 0: a face without expression.
    pub fn relaxed() -> Muscles {
        Muscles {
            strength: [[0.0; 2]; ActionUnit::ALL.len()],
        }
    }

    /// Every unit of an expression as [`Expression::activations`] has it at the same strength,
    /// left and right being those of the person.
    pub fn posed(expression: Expression, strength: f32) -> Muscles {
        use crate::expression::Laterality;
        let mut muscles = Muscles::relaxed();
        for activation in expression.activations() {
            match activation.laterality {
                Laterality::Both => muscles.set(activation.unit, strength),
                Laterality::Right => muscles.set_side(activation.unit, Side::Left, strength),
                Laterality::Left => muscles.set_side(activation.unit, Side::Right, strength),
            }
        }
        muscles
    }

    /// An expression as one person shows it once. The units of the expression, each with a
    /// strength of its own between half and full, those that often go with them, and a trace of
    /// all others. Contempt takes the left or the right by chance.
    pub fn random(expression: Expression, chance: &mut impl Rng) -> Muscles {
        let mut muscles = Muscles::relaxed();
        for unit in ActionUnit::ALL {
            let trace = chance.random_range(0.0..0.05);
            let opens = matches!(unit, LipsPart | JawDrop);
            muscles.set(unit, if opens { 0.2 * trace } else { trace });
        }
        let side = if chance.random() {
            Side::Left
        } else {
            Side::Right
        };
        let whole = chance.random_range(0.8..1.0_f32);
        for &(unit, full, probability) in shares(expression, chance.random_range(0..3)) {
            let strength = full * whole * chance.random_range(0.84..1.05_f32);
            if !chance.random_bool(probability) {
                continue;
            }
            match expression {
                Expression::Contempt => muscles.set_side(unit, side, strength.min(1.0)),
                _ => muscles.set(unit, strength.min(1.0)),
            }
        }
        for pair in &mut muscles.strength {
            for half in pair {
                *half *= chance.random_range(0.92..1.0_f32);
            }
        }
        muscles
    }

    /// Sets a unit on both halves of the face, 0 to 1.
    pub fn set(&mut self, unit: ActionUnit, strength: f32) {
        self.strength[unit.index()] = [strength; 2];
    }

    /// Sets a unit on one half of the face as seen in the picture; [`Side::Middle`] is both.
    pub fn set_side(&mut self, unit: ActionUnit, side: Side, strength: f32) {
        let pair = &mut self.strength[unit.index()];
        match side {
            Side::Left => pair[0] = strength,
            Side::Right => pair[1] = strength,
            Side::Middle => *pair = [strength; 2],
        }
    }

    /// The strength of a unit on one half of the face as seen in the picture; for
    /// [`Side::Middle`] the mean of both.
    pub fn get(&self, unit: ActionUnit, side: Side) -> f32 {
        let [left, right] = self.strength[unit.index()];
        match side {
            Side::Left => left,
            Side::Right => right,
            Side::Middle => (left + right) / 2.0,
        }
    }

    /// The strength of a unit over the whole face.
    pub(super) fn whole(&self, unit: ActionUnit) -> f32 {
        self.get(unit, Side::Middle)
    }
}

/// What takes part in an expression, in one of three variants.
fn shares(expression: Expression, variant: usize) -> &'static [Share] {
    match expression {
        Expression::Angry => &[
            (BrowLowerer, 1.0, 1.0),
            (UpperLidRaiser, 0.4, 1.0),
            (LidTightener, 0.9, 1.0),
            (LipTightener, 1.0, 1.0),
            (ChinRaiser, 0.4, 0.4),
        ],
        Expression::Contempt => &[(LipCornerPuller, 1.0, 1.0), (Dimpler, 1.0, 1.0)],
        Expression::Disgust if variant == 0 => &[
            (NoseWrinkler, 0.8, 1.0),
            (UpperLipRaiser, 1.0, 1.0),
            (ChinRaiser, 0.7, 1.0),
            (BrowLowerer, 0.4, 0.5),
        ],
        Expression::Disgust => &[
            (NoseWrinkler, 1.0, 1.0),
            (UpperLipRaiser, 0.5, 0.8),
            (LipCornerDepressor, 0.8, 1.0),
            (LowerLipDepressor, 0.8, 1.0),
            (LidTightener, 0.4, 0.5),
            (BrowLowerer, 0.4, 0.5),
        ],
        Expression::Fear => &[
            (InnerBrowRaiser, 1.0, 1.0),
            (OuterBrowRaiser, 0.5, 1.0),
            (BrowLowerer, 0.7, 1.0),
            (UpperLidRaiser, 1.0, 1.0),
            (LipStretcher, 1.0, 1.0),
            (LipsPart, 0.8, 0.7),
            (JawDrop, 0.22, 1.0),
        ],
        Expression::Happy if variant == 0 => {
            &[(CheekRaiser, 0.9, 1.0), (LipCornerPuller, 0.9, 1.0)]
        }
        Expression::Happy => &[
            (CheekRaiser, 1.0, 1.0),
            (LipCornerPuller, 1.0, 1.0),
            (LipsPart, 1.0, 1.0),
            (JawDrop, 0.3, 0.3),
        ],
        Expression::Neutral => &[],
        Expression::Sad => &[
            (InnerBrowRaiser, 1.0, 1.0),
            (BrowLowerer, 0.6, 1.0),
            (LipCornerDepressor, 1.0, 1.0),
            (ChinRaiser, 0.7, 0.7),
        ],
        Expression::Surprised => &[
            (InnerBrowRaiser, 1.0, 1.0),
            (OuterBrowRaiser, 1.0, 1.0),
            (UpperLidRaiser, 0.8, 1.0),
            (JawDrop, 1.0, 1.0),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    #[test]
    fn contempt_pulls_on_one_side_and_takes_either() {
        let mut chance = stream(1, "muscles", 0);
        let mut left = 0;
        for _ in 0..200 {
            let muscles = Muscles::random(Expression::Contempt, &mut chance);
            let [one, other] =
                [Side::Left, Side::Right].map(|side| muscles.get(LipCornerPuller, side));
            assert!((one - other).abs() > 0.3, "{one} {other}");
            left += usize::from(one > other);
        }
        assert!((70..130).contains(&left), "{left}");
    }

    #[test]
    fn all_others_pull_alike_on_both_sides() {
        let mut chance = stream(1, "muscles", 0);
        for expression in Expression::ALL {
            if expression == Expression::Contempt {
                continue;
            }
            for _ in 0..50 {
                let muscles = Muscles::random(expression, &mut chance);
                for unit in ActionUnit::ALL {
                    let [one, other] =
                        [Side::Left, Side::Right].map(|side| muscles.get(unit, side));
                    assert!(
                        (one - other).abs() <= 0.09,
                        "{} {}",
                        expression.name(),
                        unit.name()
                    );
                }
            }
        }
    }

    #[test]
    fn strengths_vary_around_the_table_of_the_expression() {
        let mut chance = stream(1, "muscles", 0);
        for expression in Expression::ALL {
            let takes: Vec<Muscles> = (0..100)
                .map(|_| Muscles::random(expression, &mut chance))
                .collect();
            for unit in ActionUnit::ALL {
                let strengths = takes.iter().map(|take| take.whole(unit));
                let most = strengths.clone().fold(0.0, f32::max);
                let least = strengths.fold(1.0, f32::min);
                let listed = expression.activations().iter().any(|a| a.unit == unit);
                assert!(least >= 0.0 && most <= 1.0 && least < most);
                if listed {
                    assert!(most > 0.15, "{} {}", expression.name(), unit.name());
                }
                if expression == Expression::Neutral {
                    assert!(most < 0.1, "{}", unit.name());
                }
            }
        }
    }
}
