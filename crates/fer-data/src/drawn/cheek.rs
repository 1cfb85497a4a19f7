//! Cheeks: action unit 6.

use super::Side;
use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::{Ink, Pen};
use super::pose::Relief;
use crate::expression::ActionUnit::CheekRaiser;
use crate::expression::Region;

/// Both cheeks with the fold beside the nose.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, muscles: &Muscles) {
    pen.on(Relief::Front(0.0));
    let skin = identity.skin;
    let eye = identity.eye.spacing;
    for (side, sign) in Side::PAIR {
        let raised = muscles.get(CheekRaiser, side);
        let height = 4.6 - 1.3 * raised;
        let middle = [sign * (eye + 1.4), height];
        pen.part(Region::Cheeks, side, |pen| {
            let bright = Ink::glaze((skin * 1.3).min(1.0), 0.12 + 0.22 * raised);
            pen.cloud(middle, [4.0, 2.6], bright);
            let under = [
                [sign * (eye - 2.6), height - 2.4],
                [sign * (eye + 0.8), height - 2.2],
                [sign * (eye + 4.0), height - 3.4],
            ];
            pen.fold(&under, 1.2, Ink::glaze(skin * 0.45, 0.55 * raised));
            let out = 0.9 * raised;
            let beside = [
                [
                    sign * (identity.nose.width + 1.0),
                    identity.nose.length - 1.6,
                ],
                [sign * (identity.nose.width + 3.0 + out), 6.4],
                [sign * (identity.nose.width + 3.7 + out), 8.6],
            ];
            let deep = 0.08 + 0.4 * identity.age + 0.5 * raised;
            pen.fold(&beside, 1.2, Ink::glaze(skin * 0.4, deep));
        });
    }
}
