//! Chin and jaw: action units 17 and 26.

use super::Side;
use super::head::DROP;
use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::{Ink, Pen};
use super::pose::Relief;
use crate::expression::ActionUnit::{ChinRaiser, JawDrop};
use crate::expression::Region;

/// The chin with the crease under the lower lip.
pub(super) fn draw(pen: &mut Pen, identity: &Identity, muscles: &Muscles) {
    let skin = identity.skin;
    let raised = muscles.whole(ChinRaiser);
    let drop = DROP * muscles.whole(JawDrop);
    let chin = identity.head.chin;
    let crease = chin - 4.6 - 0.9 * raised + 1.1 * drop;
    pen.on(Relief::Front(0.0));
    pen.part(Region::Jaw, Side::Middle, |pen| {
        let boss = Ink::glaze((skin * 1.25).min(1.0), 0.15 + 0.15 * raised);
        pen.cloud([0.0, chin - 2.4 + drop - 0.4 * raised], [3.6, 1.6], boss);
        let line = [[-3.2, crease + 1.0], [0.0, crease], [3.2, crease + 1.0]];
        let deep = Ink::glaze(skin * 0.4, 0.25 + 0.6 * raised);
        pen.fold(&line, 1.2, deep);
        let pucker = Ink::glaze(skin * 0.35, 0.6 * raised);
        for [x, y] in [[-1.6, 1.9], [0.0, 1.4], [1.6, 1.9], [-0.8, 2.8], [0.9, 2.8]] {
            pen.fold(&[[x, crease + y], [x + 0.3, crease + y + 0.5]], 0.8, pucker);
        }
        let reach = 0.45 * identity.head.width;
        pen.mark(&[[-reach, chin + drop], [reach, chin + drop]]);
    });
}
