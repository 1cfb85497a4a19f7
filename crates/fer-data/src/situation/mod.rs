//! What makes the picture of a face hard to read: blur, noise, darkness, something before the eyes.

mod blur;
mod cover;
mod light;
mod noise;
mod resolution;
mod rotation;
mod shrinking;

use std::fmt;
use std::ops::RangeInclusive;

use crate::expression::Region;
use crate::picture::{PIXELS, Picture};

/// A way in which the picture of a face can be disturbed, at any strength of a
/// [range](Self::range), and [five](Self::strengths) that networks are compared at: the first is
/// hardly seen, the last one is hard for people too.
///
/// The model for it is ImageNet-C (Hendrycks & Dietterich 2019, "Benchmarking neural network
/// robustness to common corruptions and perturbations"), with faces in place of things: what it takes
/// from there is the five strengths, Gaussian noise and blur, and the loss of contrast and pixels.
///
/// ```
/// use fer_data::{PIXELS, Picture, Situation};
///
/// let grey = Picture::from_pixels(&[128; PIXELS], "a grey picture")?;
/// let noisy = Situation::Noise.at(16.0, 7).apply(&grey, 0);
/// assert!((noisy.deviation() - 16.0).abs() < 1.0);
/// assert_ne!(noisy, Situation::Noise.at(16.0, 7).apply(&grey, 1), "another picture");
/// # Ok::<(), fer_data::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Situation {
    /// A Gaussian blur, as of a lens out of focus; beyond the edge its pixels repeat. Strengths are
    /// its standard deviation in pixels.
    Blur,
    /// Gaussian noise on each pixel by itself, as of a sensor in little light. Strengths are its
    /// standard deviation in grey levels. A picture keeps its noise from one strength to the next,
    /// only greater.
    Noise,
    /// Less light. Strengths are in stops of a camera: each halves the light, which is computed by
    /// the curve of sRGB (IEC 61966-2-1).
    Darkness,
    /// Grey values nearer to the picture's mean, as in fog. Strengths are the share of each value's
    /// distance from the mean that is taken away.
    LowContrast,
    /// The head leaning to one side: the picture turned about its centre, to the left or to the right
    /// by a coin that is tossed once for each picture; beyond the edge it is reflected. Strengths are
    /// in degrees.
    Rotation,
    /// A face far away: each pixel of a smaller picture is the mean of the area that it covers, and
    /// the smaller one is enlarged by bilinear weights. Strengths are its side in pixels.
    LowResolution,
    /// Something before both eyes that hides them with their lids and leaves the brows: the boxes of
    /// [`Region::Eyes`] in the picture's mean grey. Strengths are the share of each box that is
    /// covered, about its centre.
    EyesCovered,
    /// A mask before the mouth: the box of [`Region::Mouth`] in the picture's mean grey. Strengths are
    /// the share of the box that is covered, about its centre.
    MouthCovered,
}

impl Situation {
    /// Every situation: what the camera does, what the light does, how the face is held, how far it
    /// is, what stands before it.
    pub const ALL: [Situation; 8] = [
        Situation::Blur,
        Situation::Noise,
        Situation::Darkness,
        Situation::LowContrast,
        Situation::Rotation,
        Situation::LowResolution,
        Situation::EyesCovered,
        Situation::MouthCovered,
    ];

    /// The name people read, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Situation::Blur => "blur",
            Situation::Noise => "noise",
            Situation::Darkness => "darkness",
            Situation::LowContrast => "low contrast",
            Situation::Rotation => "rotation",
            Situation::LowResolution => "low resolution",
            Situation::EyesCovered => "eyes covered",
            Situation::MouthCovered => "mouth covered",
        }
    }

    /// What a strength counts, in words.
    pub fn unit(self) -> &'static str {
        match self {
            Situation::Blur => "pixels of standard deviation",
            Situation::Noise => "grey levels of standard deviation",
            Situation::Darkness => "stops less light",
            Situation::LowContrast => "of the contrast taken away",
            Situation::Rotation => "degrees to one side",
            Situation::LowResolution => "pixels a side",
            Situation::EyesCovered => "of both eyes' boxes covered",
            Situation::MouthCovered => "of the mouth's box covered",
        }
    }

    /// The strengths at which networks are compared, from the weakest to the strongest.
    pub fn strengths(self) -> [f64; 5] {
        match self {
            Situation::Blur => [0.5, 1.0, 1.5, 2.0, 3.0],
            Situation::Noise => [5.0, 10.0, 20.0, 40.0, 80.0],
            Situation::Darkness => [0.5, 1.0, 2.0, 4.0, 6.0],
            Situation::LowContrast => [0.3, 0.5, 0.7, 0.85, 0.95],
            Situation::Rotation => [5.0, 10.0, 20.0, 40.0, 60.0],
            Situation::LowResolution => [36.0, 24.0, 16.0, 12.0, 8.0],
            Situation::EyesCovered | Situation::MouthCovered => [0.2, 0.4, 0.6, 0.8, 1.0],
        }
    }

    /// The strength at which a picture stays as it is: an end of the [range](Self::range).
    pub fn none(self) -> f64 {
        match self {
            Situation::LowResolution => 48.0,
            _ => 0.0,
        }
    }

    /// Which strengths there are.
    pub fn range(self) -> RangeInclusive<f64> {
        match self {
            Situation::Blur => 0.0..=48.0,
            Situation::Noise => 0.0..=255.0,
            Situation::Darkness => 0.0..=16.0,
            Situation::Rotation => 0.0..=180.0,
            Situation::LowResolution => 1.0..=48.0,
            Situation::LowContrast | Situation::EyesCovered | Situation::MouthCovered => 0.0..=1.0,
        }
    }

    /// The situation at this strength; `seed` is that of the noise and of the direction of a
    /// rotation, and nothing to the others.
    ///
    /// # Panics
    /// When the strength is out of its [range](Self::range).
    pub fn at(self, strength: f64, seed: u64) -> Disturbance {
        let range = self.range();
        assert!(
            range.contains(&strength),
            "{self}: a strength of {range:?} {}, not {strength}",
            self.unit()
        );
        Disturbance {
            situation: self,
            strength,
            seed,
        }
    }
}

impl fmt::Display for Situation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A [`Situation`] at one strength.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disturbance {
    situation: Situation,
    strength: f64,
    seed: u64,
}

impl Disturbance {
    /// `picture` in the situation. The result depends on picture, situation, strength and seed, and
    /// where there is chance, on `index`, the picture's number, by which it gets its own.
    pub fn apply(&self, picture: &Picture, index: u64) -> Picture {
        let strength = self.strength as f32;
        match self.situation {
            Situation::Blur => blur::blurred(picture, strength),
            Situation::Noise => noise::noisy(picture, strength, self.seed, index),
            Situation::Darkness => light::darkened(picture, strength),
            Situation::LowContrast => light::flattened(picture, strength),
            Situation::Rotation => rotation::turned(picture, strength, self.seed, index),
            Situation::LowResolution => resolution::coarsened(picture, strength),
            Situation::EyesCovered => cover::covered(picture, Region::Eyes.boxes(), strength),
            Situation::MouthCovered => cover::covered(picture, Region::Mouth.boxes(), strength),
        }
    }
}

/// The grey values of a picture.
fn values(picture: &Picture) -> [f32; PIXELS] {
    picture.pixels().map(f32::from)
}

/// The picture of grey values, each rounded and cut to 0 … 255.
fn rounded(values: &[f32; PIXELS]) -> Picture {
    Picture::from_array(&values.map(|value| value.round().clamp(0.0, 255.0) as u8))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::drawn::DrawnFaces;

    /// A face of each expression.
    fn faces() -> Vec<Picture> {
        let faces = DrawnFaces::new(3).subjects(1).takes(1);
        let drawn = (0..faces.len()).map(|index| faces.draw(index));
        drawn
            .map(|face| Picture::from_pixels(&face.pixels, "a drawn face").unwrap())
            .collect()
    }

    /// The root of the mean squared difference.
    fn distance(one: &Picture, two: &Picture) -> f64 {
        let pairs = one.pixels().iter().zip(two.pixels());
        let squares = pairs.map(|(&one, &two)| (f64::from(one) - f64::from(two)).powi(2));
        (squares.sum::<f64>() / PIXELS as f64).sqrt()
    }

    #[test]
    fn without_strength_a_picture_stays_as_it_is() {
        let bytes: Vec<u8> = (0..PIXELS).map(|at| (at * 7 % 256) as u8).collect();
        let mut pictures = faces();
        pictures.push(Picture::from_pixels(&bytes, "every grey value").unwrap());
        for situation in Situation::ALL {
            for (index, picture) in (0..).zip(&pictures) {
                let found = situation.at(situation.none(), 5).apply(picture, index);
                assert_eq!(found, *picture, "{situation}");
            }
        }
    }

    #[test]
    fn a_greater_strength_takes_a_face_farther_from_itself() {
        for situation in Situation::ALL {
            for (index, face) in (0..).zip(&faces()) {
                let mut before = 0.0;
                for strength in situation.strengths() {
                    let found = situation.at(strength, 5).apply(face, index);
                    let found = distance(&found, face);
                    assert!(
                        found > before,
                        "{situation} {strength}: {found}, {before} before"
                    );
                    before = found;
                }
            }
        }
    }

    #[test]
    fn chance_is_the_same_in_every_run_and_differs_by_picture_and_seed() {
        let face = &faces()[0];
        let chancy = [Situation::Noise, Situation::Rotation];
        for situation in Situation::ALL {
            let strength = situation.strengths()[2];
            let found = |seed, index| situation.at(strength, seed).apply(face, index);
            assert_eq!(found(1, 2), found(1, 2));
            let others =
                |other: &dyn Fn(u64) -> Picture| (3..20).any(|at| other(at) != found(1, 2));
            assert_eq!(others(&|at| found(1, at)), chancy.contains(&situation));
            assert_eq!(others(&|at| found(at, 2)), chancy.contains(&situation));
        }
    }

    #[test]
    #[should_panic(expected = "low contrast: a strength of 0.0..=1.0 of the contrast taken away")]
    fn a_strength_out_of_range_panics_and_names_it() {
        let _ = Situation::LowContrast.at(1.5, 0);
    }
}
