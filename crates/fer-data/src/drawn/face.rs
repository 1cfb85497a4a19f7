//! One face on paper.

use super::identity::Identity;
use super::muscles::Muscles;
use super::pen::Pen;
use super::scene::Scene;
use super::{Part, beard, brow, cheek, eye, glasses, hair, head, jaw, mouth, nose};

/// The picture of a face.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// 48×48 greys, row by row, 0 black to 255 white.
    pub pixels: Vec<u8>,
    /// Where its parts are drawn.
    pub parts: Vec<Part>,
}

impl Face {
    /// Draws a person with these muscles at work in this scene. The same three give the same
    /// picture; muscles alone change nothing but the regions that they move.
    ///
    /// ```
    /// use fer_data::drawn::{Face, Identity, Muscles, Scene};
    /// use fer_data::ActionUnit;
    ///
    /// let person = Identity::new(7, 0);
    /// let mut smile = Muscles::relaxed();
    /// smile.set(ActionUnit::LipCornerPuller, 1.0);
    /// let face = Face::draw(&person, &smile, &Scene::plain());
    /// let relaxed = Face::draw(&person, &Muscles::relaxed(), &Scene::plain());
    /// assert_eq!(face.pixels.len(), 48 * 48);
    /// assert_ne!(face.pixels, relaxed.pixels);
    /// ```
    pub fn draw(identity: &Identity, muscles: &Muscles, scene: &Scene) -> Face {
        let mut pen = Pen::new(&scene.pose, scene.backdrop.shade);
        head::backdrop(&mut pen, &scene.backdrop);
        hair::behind(&mut pen, identity);
        head::shoulders(&mut pen, identity, scene.backdrop.clothes);
        head::draw(&mut pen, identity, muscles);
        cheek::draw(&mut pen, identity, muscles);
        beard::draw(&mut pen, identity, muscles);
        jaw::draw(&mut pen, identity, muscles);
        nose::draw(&mut pen, identity, muscles, scene.lit());
        mouth::draw(&mut pen, identity, muscles);
        eye::draw(&mut pen, identity, muscles, &scene.gaze);
        brow::draw(&mut pen, identity, muscles);
        if let (Some(worn), true) = (&identity.glasses, scene.glasses) {
            glasses::draw(&mut pen, identity, worn);
        }
        hair::before(&mut pen, identity);
        let (mut picture, parts) = pen.finish();
        scene.light.shine(&mut picture, &scene.pose, identity);
        Face {
            pixels: scene.noise.expose(&picture),
            parts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawn::{Beard, SIDE};
    use crate::expression::{ActionUnit, Expression};

    fn people() -> impl Iterator<Item = Identity> {
        (0..6).map(|subject| Identity {
            beard: Beard {
                jaw: 0.0,
                moustache: 0.0,
            },
            ..Identity::new(3, subject)
        })
    }

    /// Sums of absolute differences inside the parts that the unit moves and outside them.
    fn change(person: &Identity, unit: ActionUnit) -> [f32; 2] {
        let scene = Scene::plain();
        let mut muscles = Muscles::relaxed();
        let relaxed = Face::draw(person, &muscles, &scene);
        muscles.set(unit, 1.0);
        let moved = Face::draw(person, &muscles, &scene);
        let parts = relaxed.parts.iter().chain(&moved.parts);
        let bounds: Vec<[f32; 4]> = parts
            .filter(|part| unit.regions().contains(&part.region))
            .map(|part| part.bounds)
            .collect();
        let mut change = [0.0; 2];
        for (place, (one, other)) in relaxed.pixels.iter().zip(&moved.pixels).enumerate() {
            let (x, y) = ((place % SIDE) as f32, (place / SIDE) as f32);
            let inside = bounds.iter().any(|&[left, top, right, bottom]| {
                left - 2.0 <= x && x <= right + 1.0 && top - 2.0 <= y && y <= bottom + 1.0
            });
            change[usize::from(!inside)] += f32::from(one.abs_diff(*other));
        }
        change
    }

    #[test]
    fn each_unit_changes_its_own_regions_and_hardly_others() {
        for unit in ActionUnit::ALL {
            let changes: Vec<[f32; 2]> = people().map(|person| change(&person, unit)).collect();
            let inside: f32 = changes.iter().map(|change| change[0]).sum();
            let outside: f32 = changes.iter().map(|change| change[1]).sum();
            assert!(inside > 300.0 * 6.0, "{}: {inside}", unit.name());
            assert!(
                outside < 0.1 * inside,
                "{}: {inside} {outside}",
                unit.name()
            );
        }
    }

    /// The mean difference between the picture of a mouth and its mirror image.
    fn skew(person: &Identity, expression: Expression) -> f32 {
        let muscles = Muscles::posed(expression, 0.9);
        let pixels = Face::draw(person, &muscles, &Scene::plain()).pixels;
        let rows = 32..40;
        let pairs = rows.flat_map(|y| (12..24).map(move |x| (y * SIDE + x, y * SIDE + 47 - x)));
        let differences = pairs.map(|(one, other)| f32::from(pixels[one].abs_diff(pixels[other])));
        differences.sum::<f32>() / 96.0
    }

    #[test]
    fn contempt_alone_is_drawn_on_one_side() {
        for person in people() {
            for expression in Expression::ALL {
                let skew = skew(&person, expression);
                let one_sided = expression == Expression::Contempt;
                assert_eq!(skew > 4.0, one_sided, "{}: {skew}", expression.name());
            }
        }
    }
}
