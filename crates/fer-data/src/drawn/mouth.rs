//! The mouth: action units 10, 12, 14, 15, 16, 17, 20, 23, 25 and 26.

use rand::{Rng, RngExt};

use super::Side;
use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::{Ink, Pen};
use super::pose::{Relief, Spot};
use crate::expression::ActionUnit::*;
use crate::expression::Region;

/// A mouth.
#[derive(Clone, Debug, PartialEq)]
pub struct Mouth {
    /// From the origin down to the line between the lips.
    pub height: f32,
    /// Half the width.
    pub width: f32,
    /// Thickness of the upper lip.
    pub upper: f32,
    /// Thickness of the lower lip.
    pub lower: f32,
    /// Shade of the lips as a share of the skin's.
    pub shade: f32,
}

impl Mouth {
    /// A mouth by chance, with paler lips on men.
    pub(super) fn random(man: bool, chance: &mut impl Rng) -> Mouth {
        Mouth {
            height: chance.random_range(10.6..11.6),
            width: chance.random_range(5.0..6.6),
            upper: chance.random_range(0.7..1.5),
            lower: chance.random_range(1.1..2.0),
            shade: if man {
                chance.random_range(0.68..0.85)
            } else {
                chance.random_range(0.5..0.78)
            },
        }
    }
}

/// The edges of the lips as the muscles leave them.
struct Lips {
    /// The corners, left and right.
    corners: [Spot; 2],
    /// The lower edge of the upper lip: left quarter, middle, right quarter.
    upper: [Spot; 3],
    /// The upper edge of the lower lip, likewise.
    lower: [Spot; 3],
    /// Thickness of the upper and of the lower lip.
    thickness: [f32; 2],
}

/// Lips, what is seen between them, and the folds at their corners.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, muscles: &Muscles) {
    pen.on(Relief::Front(0.6));
    let lips = Lips::new(identity, muscles);
    pen.part(Region::Mouth, Side::Middle, |pen| {
        lips.red(pen, identity);
        lips.inside(pen, identity, muscles);
        corners(pen, identity, muscles, &lips);
    });
}

impl Lips {
    fn new(identity: &Identity, muscles: &Muscles) -> Lips {
        let mouth = &identity.mouth;
        let whole = |unit| muscles.whole(unit);
        let tight = whole(LipTightener).min(1.0);
        let chin = whole(ChinRaiser);
        let jaw = whole(JawDrop);
        let part = whole(LipsPart);
        let middle = mouth.height - 0.7 * chin;
        let apart = 0.9 * part + 4.4 * jaw + 1.4 * whole(LowerLipDepressor);
        let up = 1.3 * whole(UpperLipRaiser) + 0.45 * part + 0.7 * jaw;
        let curve = 0.5 * whole(LipCornerPuller) - 0.3 * whole(LipCornerDepressor);
        let top = middle + curve - up;
        let bottom = (middle + curve + apart - 0.5 * chin * apart.min(1.0)).max(top);
        let corners = Side::PAIR.map(|(side, sign)| corner(identity, muscles, side, sign));
        let quarter = |edge: f32, place: usize, extra: f32| {
            let corner = corners[place];
            [0.52 * corner[0], edge + 0.27 * (corner[1] - edge) - extra]
        };
        let raise = Side::PAIR.map(|(side, _)| 0.8 * muscles.get(UpperLipRaiser, side));
        let thin = (1.0 - 0.6 * tight) * (1.0 - 0.2 * whole(LipStretcher).min(1.0));
        let smile = 1.0 - 0.25 * whole(LipCornerPuller).min(1.0);
        Lips {
            corners,
            upper: [
                quarter(top, 0, raise[0]),
                [0.0, top],
                quarter(top, 1, raise[1]),
            ],
            lower: [
                quarter(bottom, 0, 0.0),
                [0.0, bottom],
                quarter(bottom, 1, 0.0),
            ],
            thickness: [
                mouth.upper * thin * smile,
                mouth.lower * thin * smile * (1.0 + 0.25 * chin),
            ],
        }
    }

    /// The closed curve between the lips.
    fn between(&self) -> Vec<Spot> {
        let [left, right] = self.corners;
        let [one, two, three] = self.upper;
        let [four, five, six] = self.lower;
        vec![left, one, two, three, right, six, five, four]
    }

    fn red(&self, pen: &mut Pen, identity: &Identity) {
        let shade = identity.skin * identity.mouth.shade;
        let [left, right] = self.corners;
        let [above, below] = self.thickness;
        let bow = [self.upper[1][0], self.upper[1][1] - 0.8 * above];
        let over = |spot: Spot, share: f32| [spot[0], spot[1] - share * above];
        let upper = [
            left,
            over(self.upper[0], 0.75),
            [bow[0] - 0.9, bow[1] - 0.25 * above],
            bow,
            [bow[0] + 0.9, bow[1] - 0.25 * above],
            over(self.upper[2], 0.75),
            right,
            self.upper[2],
            self.upper[1],
            self.upper[0],
        ];
        let under = |spot: Spot, share: f32| [spot[0], spot[1] + share * below];
        let lower = [
            left,
            self.lower[0],
            self.lower[1],
            self.lower[2],
            right,
            under(self.lower[2], 0.8),
            under(self.lower[1], 1.0),
            under(self.lower[0], 0.8),
        ];
        pen.fill(&upper, Ink::solid(shade * 0.86));
        pen.fill(&lower, Ink::solid(shade * 1.04));
        let shadow = [
            under(self.lower[0], 1.25),
            under(self.lower[1], 1.0),
            under(self.lower[2], 1.25),
        ]
        .map(|[x, y]| [0.8 * x, y + 0.7]);
        pen.fold(&shadow, 1.3, Ink::glaze(identity.skin * 0.5, 0.5));
    }

    /// Teeth and tongue, and the line between the lips.
    fn inside(&self, pen: &mut Pen, identity: &Identity, muscles: &Muscles) {
        let [left, right] = self.corners;
        let gap = self.lower[1][1] - self.upper[1][1];
        let dark = identity.skin * 0.13;
        if gap > 0.2 {
            let between = self.between();
            pen.fill(&between, Ink::solid(dark.min(0.1)));
            pen.inside(&between, |pen| self.teeth(pen, muscles, gap));
        }
        let [one, two, three] = self.upper;
        let line = [left, one, two, three, right];
        pen.line(&line, 0.55, Ink::glaze(dark, 0.85));
    }

    fn teeth(&self, pen: &mut Pen, muscles: &Muscles, gap: f32) {
        let white = Ink::solid(0.86);
        let smile = muscles.whole(LipCornerPuller);
        let bared = smile.max(muscles.whole(UpperLipRaiser));
        let tall = (0.5 + 1.3 * bared + 0.4 * muscles.whole(LipStretcher)).min(1.7);
        let [left, right] = self.corners.map(|[x, y]| [0.86 * x, y]);
        let upper = [
            left,
            self.upper[0],
            self.upper[1],
            self.upper[2],
            right,
            [self.upper[2][0], self.upper[2][1] + tall],
            [0.0, self.upper[1][1] + tall],
            [self.upper[0][0], self.upper[0][1] + tall],
        ];
        if gap > 3.0 {
            let tongue = [0.0, self.lower[1][1] + 0.3];
            pen.oval(tongue, [2.6, 1.6], Ink::solid(0.32));
        }
        pen.fill(&upper, white);
        let below = 1.1 * muscles.whole(LowerLipDepressor) + 0.6 * muscles.whole(LipStretcher);
        if below > 0.15 {
            let down = |[x, y]: Spot| [x, y - below];
            let lower = [
                self.lower[0],
                self.lower[1],
                self.lower[2],
                down(self.lower[2]),
                down(self.lower[1]),
                down(self.lower[0]),
            ];
            pen.fill(&lower, white);
        }
    }
}

/// Where the muscles of one side pull the corner of the mouth.
fn corner(identity: &Identity, muscles: &Muscles, side: Side, sign: f32) -> Spot {
    let get = |unit| muscles.get(unit, side);
    let jaw = get(JawDrop);
    let out = 1.7 * get(LipCornerPuller) + 2.1 * get(LipStretcher) + 0.5 * get(Dimpler)
        - 0.7 * get(LipTightener)
        - 1.1 * jaw
        - 0.3 * get(ChinRaiser);
    let down = 3.0 * get(LipCornerDepressor)
        + 0.7 * get(LipStretcher)
        + 1.2 * jaw
        + 0.3 * get(LowerLipDepressor)
        - 3.3 * get(LipCornerPuller)
        - 0.5 * get(Dimpler)
        - 0.3 * get(UpperLipRaiser);
    [
        sign * (identity.mouth.width + out).max(2.6),
        identity.mouth.height - 0.35 * get(ChinRaiser) + down,
    ]
}

/// The folds beside each corner: a dimple for units 12 and 14, a line down for unit 15.
fn corners(pen: &mut Pen, identity: &Identity, muscles: &Muscles, lips: &Lips) {
    let skin = identity.skin;
    for ((side, sign), [x, y]) in Side::PAIR.into_iter().zip(lips.corners) {
        let pulled = muscles.get(LipCornerPuller, side);
        let dimpled = muscles.get(Dimpler, side);
        let dimple = [
            [x + sign * 0.7, y - 1.7],
            [x + sign * 1.4, y - 0.3],
            [x + sign * 0.9, y + 1.3],
        ];
        let deep = (0.35 * pulled + 0.75 * dimpled).min(0.95);
        pen.fold(&dimple, 1.6, Ink::glaze(skin * 0.3, deep));
        let sad = muscles.get(LipCornerDepressor, side);
        let down = [[x, y], [x + sign * 0.8, y + 1.0], [x + sign * 1.1, y + 2.6]];
        pen.fold(
            &down,
            1.1,
            Ink::glaze(skin * 0.35, 0.6 * sad + 0.15 * identity.age),
        );
    }
}
