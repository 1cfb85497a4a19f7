//! All that changes from one picture of a person to the next besides the expression.

use rand::{Rng, RngExt};

use super::Side;
use super::light::Light;
use super::noise::Noise;
use super::pose::Pose;

/// Pose, light, background and camera of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// Where the head is and which way it looks.
    pub pose: Pose,
    /// Where the eyes look.
    pub gaze: Gaze,
    /// What is behind the head.
    pub backdrop: Backdrop,
    /// The light on it.
    pub light: Light,
    /// What the camera adds.
    pub noise: Noise,
    /// Whether someone who has glasses wears them.
    pub glasses: bool,
}

/// Direction of the eyes and weight of the lids.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaze {
    /// Shift of both irises, x and y, in pixels.
    pub direction: [f32; 2],
    /// Height of the relaxed upper lid as a share of the person's own.
    pub lids: f32,
}

/// What is behind the head.
#[derive(Clone, Debug, PartialEq)]
pub struct Backdrop {
    /// Shade of the wall, 0 to 1.
    pub shade: f32,
    /// Shade of the clothes, 0 to 1.
    pub clothes: f32,
    /// Soft shapes in front of the wall.
    pub shapes: Vec<Shape>,
}

/// A soft ellipse behind the head, in the frame of the head.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Its middle.
    pub middle: [f32; 2],
    /// Half its width and height.
    pub size: [f32; 2],
    /// Its shade, 0 to 1.
    pub shade: f32,
}

impl Scene {
    /// A frontal picture in even light before a grey wall, without glasses and without noise.
    pub fn plain() -> Scene {
        Scene {
            pose: Pose::FRONTAL,
            gaze: Gaze {
                direction: [0.0; 2],
                lids: 1.0,
            },
            backdrop: Backdrop {
                shade: 0.5,
                clothes: 0.3,
                shapes: Vec::new(),
            },
            light: Light::EVEN,
            noise: Noise::NONE,
            glasses: false,
        }
    }

    /// A scene by chance.
    pub fn random(chance: &mut impl Rng) -> Scene {
        Scene {
            pose: Pose::random(chance),
            gaze: Gaze {
                direction: [
                    chance.random_range(-0.9..0.9),
                    chance.random_range(-0.35..0.35),
                ],
                lids: chance.random_range(0.85..1.1),
            },
            backdrop: Backdrop::random(chance),
            light: Light::random(chance),
            noise: Noise::random(chance),
            glasses: chance.random_bool(0.85),
        }
    }

    /// The side of the picture that the light comes from.
    pub(super) fn lit(&self) -> Side {
        if self.light.direction[0] < 0.0 {
            Side::Left
        } else {
            Side::Right
        }
    }
}

impl Backdrop {
    fn random(chance: &mut impl Rng) -> Backdrop {
        let shapes = (0..chance.random_range(0..4))
            .map(|_| Shape {
                middle: [
                    chance.random_range(-30.0..30.0),
                    chance.random_range(-30.0..20.0),
                ],
                size: [
                    chance.random_range(4.0..14.0),
                    chance.random_range(4.0..18.0),
                ],
                shade: chance.random_range(0.05..0.95),
            })
            .collect();
        Backdrop {
            shade: chance.random_range(0.08..0.95),
            clothes: chance.random_range(0.04..0.9),
            shapes,
        }
    }
}
