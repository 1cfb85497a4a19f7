//! The hair of the head, behind the face and over it.

use rand::{Rng, RngExt};

use super::Side;
use super::identity::Identity;
use super::pen::{Ink, Pen};
use super::pose::{Relief, Spot};

/// The cut of the hair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// No hair.
    Bald,
    /// Short hair.
    Short,
    /// A parting on one side, with hair low over the other temple.
    Parted(Side),
    /// A fringe down to the brows.
    Fringe,
    /// Hair down to the shoulders.
    Long,
    /// A crown of curls.
    Curly,
    /// Long hair, with a lock over one brow and eye.
    Swept(Side),
    /// A scarf around head and neck.
    Scarf,
}

/// Hair, or what covers it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hair {
    /// How it is worn.
    pub cut: Cut,
    /// Its shade.
    pub shade: f32,
    /// From the origin to the hairline, negative: upwards.
    pub line: f32,
}

impl Hair {
    /// Hair by chance; `age` from 0 to 1 turns it grey.
    pub(super) fn random(age: f32, man: bool, chance: &mut impl Rng) -> Hair {
        let side = if chance.random() {
            Side::Left
        } else {
            Side::Right
        };
        let cuts: &[Cut] = if man {
            &[
                Cut::Bald,
                Cut::Short,
                Cut::Parted(side),
                Cut::Short,
                Cut::Fringe,
                Cut::Curly,
                Cut::Long,
            ]
        } else {
            &[
                Cut::Long,
                Cut::Swept(side),
                Cut::Fringe,
                Cut::Parted(side),
                Cut::Scarf,
                Cut::Curly,
                Cut::Short,
            ]
        };
        let cut = cuts[chance.random_range(0..cuts.len())];
        let natural: f32 = chance.random_range(0.03..0.5);
        let grey = if age > 0.55 { 0.35 } else { 0.0 };
        Hair {
            cut,
            shade: match cut {
                Cut::Scarf => chance.random_range(0.1..0.9),
                _ => natural + grey,
            },
            line: chance.random_range(-16.5..-13.5) - age,
        }
    }
}

/// What hangs behind the face.
pub(super) fn behind(pen: &mut Pen, identity: &Identity) {
    pen.on(Relief::Outline);
    let width = identity.head.width;
    let ink = Ink::solid(identity.hair.shade * 0.8);
    match identity.hair.cut {
        Cut::Long | Cut::Swept(_) => pen.fill(
            &[
                [0.0, -24.5],
                [width + 1.5, -16.0],
                [width + 4.0, 0.0],
                [width + 4.5, 16.0],
                [width + 1.0, 27.0],
                [-width - 1.0, 27.0],
                [-width - 4.5, 16.0],
                [-width - 4.0, 0.0],
                [-width - 1.5, -16.0],
            ],
            ink,
        ),
        Cut::Scarf => pen.fill(
            &[
                [0.0, -25.0],
                [width + 2.0, -15.0],
                [width + 3.5, 2.0],
                [width + 1.5, 16.0],
                [14.0, 30.0],
                [-14.0, 30.0],
                [-width - 1.5, 16.0],
                [-width - 3.5, 2.0],
                [-width - 2.0, -15.0],
            ],
            ink,
        ),
        Cut::Curly => {
            for step in 0..11 {
                let angle = std::f32::consts::PI * (1.0 + step as f32 / 10.0);
                let (sin, cos) = angle.sin_cos();
                pen.oval([(width + 1.0) * cos, 21.0 * sin - 2.0], [5.0; 2], ink);
            }
        }
        Cut::Bald | Cut::Short | Cut::Parted(_) | Cut::Fringe => {}
    }
}

/// What lies over the face.
pub(super) fn before(pen: &mut Pen, identity: &Identity) {
    pen.on(Relief::Outline);
    let hair = &identity.hair;
    let width = identity.head.width;
    let ink = Ink::solid(hair.shade);
    match hair.cut {
        Cut::Bald => {
            let gleam = Ink::glaze((identity.skin * 1.3).min(1.0), 0.3);
            pen.cloud([-2.0, -16.0], [6.0, 3.0], gleam);
        }
        Cut::Short | Cut::Long => pen.fill(&cap(width, hair.line, [0.0; 2]), ink),
        Cut::Parted(side) => {
            let lean = if side == Side::Left {
                [-1.0, 3.0]
            } else {
                [3.0, -1.0]
            };
            pen.fill(&cap(width, hair.line, lean), ink);
        }
        Cut::Fringe => fringe(pen, width, ink),
        Cut::Curly => {
            for step in 0..9 {
                let angle = std::f32::consts::PI * (1.08 + 0.84 * step as f32 / 8.0);
                let (sin, cos) = angle.sin_cos();
                let middle = [(width - 0.5) * cos, 19.0 * sin - 2.5];
                pen.oval(middle, [4.2, 3.4], ink);
                let gleam = Ink::glaze((hair.shade * 1.5 + 0.04).min(1.0), 0.5);
                pen.oval([middle[0] - 0.8, middle[1] - 1.0], [1.4, 0.9], gleam);
            }
        }
        Cut::Swept(side) => swept(pen, width, hair.line, side, ink),
        Cut::Scarf => scarf(pen, width, ink),
    }
    if !matches!(hair.cut, Cut::Bald | Cut::Curly | Cut::Scarf) {
        gleam(pen, hair.shade, width);
    }
}

/// Streaks of light along the hair.
fn gleam(pen: &mut Pen, shade: f32, width: f32) {
    let ink = Ink::glaze((shade * 1.5 + 0.05).min(1.0), 0.45);
    for share in [-0.6, -0.2, 0.35, 0.65] {
        let line = [
            [share * 0.6 * width, -22.0],
            [share * 0.95 * width, -19.5],
            [share * 1.15 * width, -17.0],
        ];
        pen.fold(&line, 1.2, ink);
    }
}

/// Hair over the crown down to a line on the forehead, lowered at the left and the right.
fn cap(width: f32, line: f32, [left, right]: [f32; 2]) -> Vec<Spot> {
    vec![
        [-width - 0.6, -2.5],
        [-width - 1.0, -13.0],
        [-0.72 * width, -21.8],
        [0.0, -24.2],
        [0.72 * width, -21.8],
        [width + 1.0, -13.0],
        [width + 0.6, -2.5],
        [0.94 * width, -6.5],
        [0.82 * width, -11.5 + 0.5 * right],
        [0.45 * width, line + right],
        [0.0, line + 0.5 * (left + right) - 0.6],
        [-0.45 * width, line + left],
        [-0.82 * width, -11.5 + 0.5 * left],
        [-0.94 * width, -6.5],
    ]
}

fn fringe(pen: &mut Pen, width: f32, ink: Ink) {
    let mut outline = cap(width, -11.8, [0.0; 2]);
    outline.truncate(8);
    for step in 0..9 {
        let share = 0.86 - 1.72 * step as f32 / 8.0;
        let height = if step % 2 == 0 { -10.6 } else { -11.8 };
        outline.push([share * width, height]);
    }
    outline.push([-0.94 * width, -6.5]);
    pen.fill(&outline, ink);
}

/// A lock from the parting over one brow down the cheek.
fn swept(pen: &mut Pen, width: f32, line: f32, side: Side, ink: Ink) {
    let sign = if side == Side::Left { -1.0 } else { 1.0 };
    pen.fill(&cap(width, line, [0.0; 2]), ink);
    pen.fill(
        &[
            [sign * -0.3 * width, -20.0],
            [sign * 0.15 * width, -14.5],
            [sign * 0.5 * width, -9.5],
            [sign * 0.72 * width, -3.0],
            [sign * 0.8 * width, 5.0],
            [sign * 1.02 * width, 10.0],
            [sign * 1.12 * width, -6.0],
            [sign * 0.85 * width, -18.0],
        ],
        ink,
    );
}

fn scarf(pen: &mut Pen, width: f32, ink: Ink) {
    let mut outline = cap(width + 0.5, -12.8, [0.0; 2]);
    outline[0] = [-width - 1.5, 8.0];
    outline[6] = [width + 1.5, 8.0];
    pen.fill(&outline, ink);
    for sign in [-1.0, 1.0] {
        let edge = [
            [sign * 0.9 * width, -9.0],
            [sign * 1.0 * width, 1.0],
            [sign * 0.86 * width, 12.0],
            [sign * 0.5 * width, 20.5],
        ];
        pen.line(&edge, 3.0, ink);
        pen.fold(&edge, 1.0, Ink::glaze(ink.shade * 0.5, 0.6));
    }
}
