//! Facial action units, and which of them make which expression.
//!
//! Numbers and names are those of the Facial Action Coding System (Ekman, Friesen & Hager 2002);
//! the table of expressions is that of its emotional selection, EMFACS (Friesen & Ekman 1983).

use super::{Expression, Region};

/// One movement of the face that can be told apart from the others, by its name in the Facial
/// Action Coding System.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ActionUnit {
    /// AU1: the inner ends of the brows go up.
    InnerBrowRaiser,
    /// AU2: the outer ends of the brows go up.
    OuterBrowRaiser,
    /// AU4: the brows go down and together, with furrows between them.
    BrowLowerer,
    /// AU5: the upper lids go up and show the white above the iris.
    UpperLidRaiser,
    /// AU6: the cheeks go up and push the lower lids into crescents.
    CheekRaiser,
    /// AU7: both lids are tense and narrow the eye.
    LidTightener,
    /// AU9: the root of the nose wrinkles and its wings go up.
    NoseWrinkler,
    /// AU10: the upper lip goes up beside the nose.
    UpperLipRaiser,
    /// AU12: the corners of the mouth go up and out.
    LipCornerPuller,
    /// AU14: the corners of the mouth are tightened into dimples.
    Dimpler,
    /// AU15: the corners of the mouth go down.
    LipCornerDepressor,
    /// AU16: the lower lip goes down.
    LowerLipDepressor,
    /// AU17: the chin goes up and pushes the lower lip.
    ChinRaiser,
    /// AU20: the mouth is stretched sideways.
    LipStretcher,
    /// AU23: the lips are tight and narrow.
    LipTightener,
    /// AU25: the lips part.
    LipsPart,
    /// AU26: the jaw drops and the mouth opens.
    JawDrop,
}

/// The half of the face on which a unit acts, left and right being those of the person (so that
/// the person's right is on the left of the picture), as FACS writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Laterality {
    /// Both halves alike.
    Both,
    /// The person's left half, written with an `L` before the number.
    Left,
    /// The person's right half, written with an `R` before the number.
    Right,
}

/// A unit at work in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Activation {
    /// What moves.
    pub unit: ActionUnit,
    /// On which half of the face.
    pub laterality: Laterality,
}

use ActionUnit::*;

impl ActionUnit {
    /// Every unit, in the order of the numbers.
    pub const ALL: [ActionUnit; 17] = [
        InnerBrowRaiser,
        OuterBrowRaiser,
        BrowLowerer,
        UpperLidRaiser,
        CheekRaiser,
        LidTightener,
        NoseWrinkler,
        UpperLipRaiser,
        LipCornerPuller,
        Dimpler,
        LipCornerDepressor,
        LowerLipDepressor,
        ChinRaiser,
        LipStretcher,
        LipTightener,
        LipsPart,
        JawDrop,
    ];

    /// The place of the unit in [`ActionUnit::ALL`], 0 to 16.
    pub fn index(self) -> usize {
        self as usize
    }

    /// The number of the unit in the Facial Action Coding System: 12 for AU12.
    pub fn number(self) -> u8 {
        const NUMBERS: [u8; 17] = [1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 20, 23, 25, 26];
        NUMBERS[self.index()]
    }

    /// The name of the unit in the Facial Action Coding System, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            InnerBrowRaiser => "inner brow raiser",
            OuterBrowRaiser => "outer brow raiser",
            BrowLowerer => "brow lowerer",
            UpperLidRaiser => "upper lid raiser",
            CheekRaiser => "cheek raiser",
            LidTightener => "lid tightener",
            NoseWrinkler => "nose wrinkler",
            UpperLipRaiser => "upper lip raiser",
            LipCornerPuller => "lip corner puller",
            Dimpler => "dimpler",
            LipCornerDepressor => "lip corner depressor",
            LowerLipDepressor => "lower lip depressor",
            ChinRaiser => "chin raiser",
            LipStretcher => "lip stretcher",
            LipTightener => "lip tightener",
            LipsPart => "lips part",
            JawDrop => "jaw drop",
        }
    }

    /// The regions that the unit moves, the one where it is seen best first.
    pub fn regions(self) -> &'static [Region] {
        match self {
            InnerBrowRaiser | OuterBrowRaiser | BrowLowerer => &[Region::Brow],
            UpperLidRaiser | LidTightener => &[Region::Eyes],
            CheekRaiser => &[Region::Cheeks, Region::Eyes],
            NoseWrinkler => &[Region::Nose],
            UpperLipRaiser => &[Region::Nose, Region::Mouth],
            LipCornerPuller | Dimpler | LipCornerDepressor | LowerLipDepressor | LipStretcher
            | LipTightener | LipsPart => &[Region::Mouth],
            ChinRaiser | JawDrop => &[Region::Jaw, Region::Mouth],
        }
    }
}

const fn both(unit: ActionUnit) -> Activation {
    Activation {
        unit,
        laterality: Laterality::Both,
    }
}

const fn right(unit: ActionUnit) -> Activation {
    Activation {
        unit,
        laterality: Laterality::Right,
    }
}

impl Expression {
    /// The action units of the expression by EMFACS, none for neutral. Contempt is one-sided and
    /// is written for the person's right; the left occurs as well.
    ///
    /// ```
    /// use fer_data::Expression;
    ///
    /// let happy: Vec<u8> = Expression::Happy.activations().iter().map(|a| a.unit.number()).collect();
    /// assert_eq!(happy, [6, 12]);
    /// ```
    pub fn activations(self) -> &'static [Activation] {
        const ANGRY: &[Activation] = &[
            both(BrowLowerer),
            both(UpperLidRaiser),
            both(LidTightener),
            both(LipTightener),
        ];
        const CONTEMPT: &[Activation] = &[right(LipCornerPuller), right(Dimpler)];
        const DISGUST: &[Activation] = &[
            both(NoseWrinkler),
            both(LipCornerDepressor),
            both(LowerLipDepressor),
        ];
        const FEAR: &[Activation] = &[
            both(InnerBrowRaiser),
            both(OuterBrowRaiser),
            both(BrowLowerer),
            both(UpperLidRaiser),
            both(LipStretcher),
            both(JawDrop),
        ];
        const HAPPY: &[Activation] = &[both(CheekRaiser), both(LipCornerPuller)];
        const SAD: &[Activation] = &[
            both(InnerBrowRaiser),
            both(BrowLowerer),
            both(LipCornerDepressor),
        ];
        const SURPRISED: &[Activation] = &[
            both(InnerBrowRaiser),
            both(OuterBrowRaiser),
            both(UpperLidRaiser),
            both(JawDrop),
        ];
        match self {
            Expression::Angry => ANGRY,
            Expression::Contempt => CONTEMPT,
            Expression::Disgust => DISGUST,
            Expression::Fear => FEAR,
            Expression::Happy => HAPPY,
            Expression::Neutral => &[],
            Expression::Sad => SAD,
            Expression::Surprised => SURPRISED,
        }
    }

    /// The regions that the units of the expression move by EMFACS, each with how many of them move
    /// it: those moved by most first, of equals the upper first. None for neutral.
    ///
    /// ```
    /// use fer_data::{Expression, Region};
    ///
    /// let sad = Expression::Sad.regions();
    /// assert_eq!(sad, [(Region::Brow, 2), (Region::Mouth, 1)]);
    /// ```
    pub fn regions(self) -> Vec<(Region, usize)> {
        let units = self.activations().iter().map(|activation| activation.unit);
        let moving = |region| {
            let units = units.clone();
            units
                .filter(|unit| unit.regions().contains(&region))
                .count()
        };
        let mut regions: Vec<(Region, usize)> = Region::ALL
            .into_iter()
            .map(|region| (region, moving(region)))
            .filter(|&(_, units)| units > 0)
            .collect();
        regions.sort_by_key(|&(_, units)| std::cmp::Reverse(units));
        regions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_the_order_of_indices_and_of_numbers() {
        for (place, unit) in ActionUnit::ALL.into_iter().enumerate() {
            assert_eq!(unit.index(), place);
        }
        assert!(ActionUnit::ALL.is_sorted_by(|a, b| a.number() < b.number()));
    }

    #[test]
    fn the_table_is_that_of_emfacs() {
        let numbers = |expression: Expression| -> Vec<u8> {
            let units = expression.activations().iter();
            units.map(|activation| activation.unit.number()).collect()
        };
        assert_eq!(numbers(Expression::Angry), [4, 5, 7, 23]);
        assert_eq!(numbers(Expression::Contempt), [12, 14]);
        assert_eq!(numbers(Expression::Disgust), [9, 15, 16]);
        assert_eq!(numbers(Expression::Fear), [1, 2, 4, 5, 20, 26]);
        assert_eq!(numbers(Expression::Happy), [6, 12]);
        assert!(numbers(Expression::Neutral).is_empty());
        assert_eq!(numbers(Expression::Sad), [1, 4, 15]);
        assert_eq!(numbers(Expression::Surprised), [1, 2, 5, 26]);
    }

    #[test]
    fn the_regions_are_those_of_the_units() {
        let named = |expression: Expression| -> Vec<&str> {
            let regions = expression.regions().into_iter();
            regions.map(|(region, _)| region.name()).collect()
        };
        assert_eq!(named(Expression::Angry), ["eyes", "brow", "mouth"]);
        assert_eq!(named(Expression::Contempt), ["mouth"]);
        assert_eq!(named(Expression::Disgust), ["mouth", "nose"]);
        assert_eq!(named(Expression::Fear), ["brow", "mouth", "eyes", "jaw"]);
        assert_eq!(named(Expression::Happy), ["eyes", "cheeks", "mouth"]);
        assert!(named(Expression::Neutral).is_empty());
        assert_eq!(named(Expression::Sad), ["brow", "mouth"]);
        assert_eq!(
            named(Expression::Surprised),
            ["brow", "eyes", "mouth", "jaw"]
        );
    }

    #[test]
    fn contempt_alone_is_one_sided() {
        for expression in Expression::ALL {
            let one_sided = |a: &Activation| a.laterality == Laterality::Right;
            let activations = expression.activations();
            if expression == Expression::Contempt {
                assert!(activations.iter().all(one_sided));
            } else {
                assert!(!activations.iter().any(one_sided), "{}", expression.name());
            }
        }
    }
}
