//! Faces in a picture that was sent: all of them, or those near where they were a moment ago.

use fer_data::face::{Bounds, FaceFinder, FinderSettings, Photograph};
use fer_data::{DataError, Resize};

use crate::answer::{Reader, Seen};
use crate::serve::asked::Asked;
use crate::serve::refusal::Refusal;

/// What the sent picture is called in a message.
const NAME: &str = "the picture";

/// The longest side, in pixels, that is looked through quickly.
const QUICK_SIDE: u32 = 480;

/// The side of what is searched for a face that was seen before, over the side of its box.
const SURROUNDINGS: f32 = 2.0;

/// The longest side, in pixels, in which that is searched: a face has about 64 of them then.
const NEAR_SIDE: u32 = 128;

/// The least overlap (intersection over union) with where a face was to be the same.
const STILL_THERE: f64 = 0.2;

/// More overlap than this is one face found twice.
const SAME: f64 = 0.3;

/// Finds faces in each of the ways in which a request may ask for them.
pub(super) struct Search {
    whole: Reader,
    thorough: Reader,
    quick: Reader,
    near: Reader,
}

impl Search {
    pub(super) fn new(resize: Resize) -> Result<Self, DataError> {
        let finder = |longest_side, turns| {
            let settings = FinderSettings {
                longest_side,
                turns,
                ..FinderSettings::default()
            };
            FaceFinder::with(settings)
        };
        let reader = |finder| Reader::new(Some(finder), resize);
        Ok(Search {
            whole: Reader::new(None, resize),
            thorough: reader(FaceFinder::new()),
            quick: reader(finder(QUICK_SIDE, false)?),
            near: reader(finder(NEAR_SIDE, false)?),
        })
    }

    /// The faces in a picture file, the largest first.
    pub(super) fn faces(&self, bytes: &[u8], asked: &Asked) -> Result<Vec<Seen>, Refusal> {
        let photograph = Photograph::decode(bytes, NAME)?;
        if !asked.detect {
            return Ok(self.whole.faces(&photograph)?);
        }
        if let Some(faces) = self.all_near(&photograph, &asked.near)? {
            return Ok(faces);
        }
        let reader = if asked.quick {
            &self.quick
        } else {
            &self.thorough
        };
        Ok(reader.faces(&photograph)?)
    }

    /// The faces where faces were, the largest first; `None` where one of them is gone, or none was.
    fn all_near(
        &self,
        photograph: &Photograph,
        places: &[Bounds],
    ) -> Result<Option<Vec<Seen>>, DataError> {
        if places.is_empty() || photograph.is_face_already() {
            return Ok(None);
        }
        let mut found: Vec<(Bounds, Seen)> = Vec::with_capacity(places.len());
        for place in places {
            let Some((bounds, seen)) = self.near(photograph, place)? else {
                return Ok(None);
            };
            if found
                .iter()
                .all(|(other, _)| other.overlap(&bounds) <= SAME)
            {
                found.push((bounds, seen));
            }
        }
        found.sort_by_key(|(bounds, _)| std::cmp::Reverse(bounds.width.max(bounds.height)));
        Ok(Some(found.into_iter().map(|(_, seen)| seen).collect()))
    }

    /// The face that overlaps most with where one was.
    fn near(
        &self,
        photograph: &Photograph,
        place: &Bounds,
    ) -> Result<Option<(Bounds, Seen)>, DataError> {
        let Some(around) = surroundings(place, (photograph.width(), photograph.height())) else {
            return Ok(None);
        };
        let part = photograph.part(&around);
        if part.is_face_already() {
            return Ok(None);
        }
        let mut best = None;
        let mut most = STILL_THERE;
        for mut seen in self.near.faces(&part)? {
            let Some(within) = seen.bounds else { continue };
            let bounds = Bounds {
                x: within.x + around.x,
                y: within.y + around.y,
                ..within
            };
            if bounds.overlap(place) >= most {
                most = bounds.overlap(place);
                seen.bounds = Some(bounds);
                best = Some((bounds, seen));
            }
        }
        Ok(best)
    }
}

/// What lies around a place in a picture of this size; `None` where the place lies outside.
fn surroundings(place: &Bounds, (width, height): (u32, u32)) -> Option<Bounds> {
    let span = |start: u32, length: u32, end: u32| {
        let more = length as f32 * (SURROUNDINGS - 1.0) / 2.0;
        let first = (start as f32 - more).max(0.0) as u32;
        let last = ((start as f32 + length as f32 + more) as u32).min(end);
        (start < end && first < last).then(|| (first, last - first))
    };
    let (x, width) = span(place.x, place.width, width)?;
    let (y, height) = span(place.y, place.height, height)?;
    Some(Bounds {
        x,
        y,
        width,
        height,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surroundings_lie_inside_the_picture() {
        let place = |[x, y, width, height]: [u32; 4]| Bounds {
            x,
            y,
            width,
            height,
        };
        let around = |numbers| surroundings(&place(numbers), (640, 480));
        assert_eq!(around([200, 100, 80, 80]), Some(place([160, 60, 160, 160])));
        assert_eq!(around([0, 440, 100, 40]), Some(place([0, 420, 150, 60])));
        assert_eq!(around([640, 0, 10, 10]), None);
        assert_eq!(around([0, 480, 10, 10]), None);
        assert_eq!(around([u32::MAX, 0, u32::MAX, u32::MAX]), None);
        let all = around([1, 1, u32::MAX, u32::MAX]);
        assert_eq!(all, Some(place([0, 0, 640, 480])));
    }
}
