//! Where the head is and which way it looks.

use rand::{Rng, RngExt};

use super::SIDE;

/// A point of the face in its own frame, in pixels of a picture at scale 1: the origin between
/// the eyes and the nose, x to the right of the picture, y down.
pub(super) type Spot = [f32; 2];

/// Half the width, height and depth of the ellipsoid that stands for the front of the head.
pub(super) const HEAD: [f32; 3] = [19.0, 25.0, 12.0];

/// How far the surface on which a feature is drawn stands before the axis of the head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Relief {
    /// The outline of the head, which turns without moving.
    Outline,
    /// The front of the head, raised by a number of pixels.
    Front(f32),
}

/// Position and direction of a head in its picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Rotation in the plane of the picture, in radians, clockwise when positive.
    pub roll: f32,
    /// Turn to the right of the picture, in radians.
    pub yaw: f32,
    /// Nod downwards, in radians.
    pub pitch: f32,
    /// Size of the head: 1 fills most of the picture.
    pub scale: f32,
    /// Shift from the middle of the picture, x to the right and y down, in pixels.
    pub shift: [f32; 2],
}

impl Pose {
    /// Upright, straight ahead, in the middle.
    pub const FRONTAL: Pose = Pose {
        roll: 0.0,
        yaw: 0.0,
        pitch: 0.0,
        scale: 1.0,
        shift: [0.0; 2],
    };

    /// A pose by chance: roll within 15 degrees, yaw within 12, pitch within 5 and shift within
    /// 2.6 pixels, small ones more often than large ones; scale 0.92 to 1.1.
    pub fn random(chance: &mut impl Rng) -> Pose {
        let mut within = |most: f32| {
            let halves: [f32; 2] = [0, 1].map(|_| chance.random_range(-0.5..0.5));
            most * (halves[0] + halves[1])
        };
        Pose {
            roll: within(15.0).to_radians(),
            yaw: within(12.0).to_radians(),
            pitch: within(5.0).to_radians(),
            shift: [within(2.6), within(2.6)],
            scale: chance.random_range(0.92..1.1),
        }
    }

    /// Where a point of the face lies in the picture, in pixels.
    pub(super) fn place(&self, [x, y]: Spot, relief: Relief) -> [f32; 2] {
        let turned = match relief {
            Relief::Outline => [x, y],
            Relief::Front(lift) => {
                let [width, height, depth] = HEAD;
                let rim = 1.0 - (x / width).powi(2) - (y / height).powi(2);
                let z = depth * rim.max(0.02).sqrt() + lift;
                [
                    x * self.yaw.cos() + z * self.yaw.sin(),
                    y * self.pitch.cos() + z * self.pitch.sin(),
                ]
            }
        };
        let (sin, cos) = self.roll.sin_cos();
        let middle = SIDE as f32 / 2.0;
        [
            middle + self.shift[0] + self.scale * (cos * turned[0] - sin * turned[1]),
            middle + self.shift[1] + self.scale * (sin * turned[0] + cos * turned[1]),
        ]
    }

    /// The inverse of [`Pose::place`] on the outline: from a point of the picture to the frame of
    /// the head.
    pub(super) fn unplace(&self) -> impl Fn([f32; 2]) -> Spot {
        let middle = SIDE as f32 / 2.0;
        let (sin, cos) = self.roll.sin_cos();
        let (shift, scale) = (self.shift, self.scale);
        move |[x, y]| {
            let across = (x - middle - shift[0]) / scale;
            let down = (y - middle - shift[1]) / scale;
            [cos * across + sin * down, cos * down - sin * across]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILTED: Pose = Pose {
        roll: 0.2,
        yaw: 0.25,
        pitch: -0.1,
        scale: 0.9,
        shift: [1.0, -2.0],
    };

    #[test]
    fn the_outline_comes_back_from_the_picture() {
        let [x, y] = TILTED.unplace()(TILTED.place([3.0, -7.0], Relief::Outline));
        assert!((x - 3.0).abs() < 1e-4 && (y + 7.0).abs() < 1e-4);
    }

    #[test]
    fn what_stands_out_moves_further_when_the_head_turns() {
        let turned = Pose {
            yaw: 0.2,
            ..Pose::FRONTAL
        };
        let flat = turned.place([0.0, 4.0], Relief::Front(0.0))[0];
        let raised = turned.place([0.0, 4.0], Relief::Front(4.0))[0];
        assert!(raised > flat + 0.5 && flat > 24.5);
        let straight = Pose::FRONTAL.place([0.0, 4.0], Relief::Front(4.0));
        assert_eq!(straight, [24.0, 28.0]);
    }
}
