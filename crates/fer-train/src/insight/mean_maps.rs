use std::collections::BTreeSet;

use anyhow::Result;
use candle_core::{Device, Tensor};
use fer_data::{Dataset, PIXELS, Picture, Region};
use fer_model::explain::{Explainer, OcclusionSettings};
use fer_model::pictures_to_tensor;

use super::{ByMethod, Profile};

/// Pictures whose maps are held at once.
const AT_ONCE: usize = 16;

/// The maps of one class over its pictures, each of which counts alike: what is below 0 in a map is
/// taken as 0, and its mean over the regions of the face made 1. Otherwise the few pictures that a
/// network is least sure of would decide.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassMap {
    n: u64,
    sum: Vec<f64>,
    one_sidedness: [f64; Region::ALL.len()],
}

impl Default for ClassMap {
    fn default() -> Self {
        ClassMap {
            n: 0,
            sum: vec![0.0; PIXELS],
            one_sidedness: [0.0; Region::ALL.len()],
        }
    }
}

impl ClassMap {
    /// Adds the map of a picture, 48×48 values row by row; one without anything on the face adds
    /// nothing but its number.
    pub fn add(&mut self, map: &[f32]) {
        self.n += 1;
        let map: Vec<f64> = map.iter().map(|&value| f64::from(value.max(0.0))).collect();
        let profile = Profile::of(&map);
        for (sum, balance) in self.one_sidedness.iter_mut().zip(profile.balance) {
            *sum += balance.abs();
        }
        if profile.face > 0.0 {
            for (sum, value) in self.sum.iter_mut().zip(map) {
                *sum += value / profile.face;
            }
        }
    }

    /// How many maps there are.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Their mean, 48×48 values row by row; all 0 of none.
    pub fn mean(&self) -> Vec<f64> {
        let count = self.n.max(1) as f64;
        self.sum.iter().map(|sum| sum / count).collect()
    }

    /// What the mean says of the regions.
    pub fn profile(&self) -> Profile {
        Profile::of(&self.mean())
    }

    /// The mean of |balance| over the maps, 0 to 1 in each region: see [`Profile::balance`].
    pub fn one_sidedness(&self) -> [f64; Region::ALL.len()] {
        self.one_sidedness.map(|sum| sum / self.n.max(1) as f64)
    }
}

/// Some pictures with their maps; all lists are of one length.
pub(super) struct Explained {
    /// Their indices in the data set.
    pub(super) indices: Vec<usize>,
    /// f32 of shape (pictures, 1, 48, 48).
    pub(super) pictures: Tensor,
    /// The class explained of each.
    pub(super) classes: Vec<usize>,
    /// 48×48 values for each.
    pub(super) maps: ByMethod<Vec<Vec<f32>>>,
}

impl Explained {
    /// Those of them that are among `chosen`, if any is.
    pub(super) fn only(&self, chosen: &BTreeSet<usize>) -> Result<Option<Explained>> {
        let places = 0..self.indices.len();
        let places: Vec<usize> = places
            .filter(|&place| chosen.contains(&self.indices[place]))
            .collect();
        if places.is_empty() {
            return Ok(None);
        }
        let rows: Vec<u32> = places.iter().map(|&place| place as u32).collect();
        let rows = Tensor::new(rows, self.pictures.device())?;
        let maps = |all: &[Vec<f32>]| places.iter().map(|&place| all[place].clone()).collect();
        Ok(Some(Explained {
            indices: places.iter().map(|&place| self.indices[place]).collect(),
            pictures: self.pictures.index_select(&rows, 0)?,
            classes: places.iter().map(|&place| self.classes[place]).collect(),
            maps: ByMethod {
                occlusion: maps(&self.maps.occlusion),
                grad_cam: maps(&self.maps.grad_cam),
            },
        }))
    }
}

/// Explains the label of each of the pictures `indices`, and adds up the maps by class, in the data
/// set's order of classes. `see` is given some pictures at a time with their maps.
pub(super) fn mean_maps(
    explainer: &Explainer<'_>,
    dataset: &Dataset,
    indices: &[usize],
    settings: &OcclusionSettings,
    mut see: impl FnMut(&Explained) -> Result<()>,
) -> Result<ByMethod<Vec<ClassMap>>> {
    let classes = dataset.class_names().len();
    let mut sums = ByMethod {
        occlusion: vec![ClassMap::default(); classes],
        grad_cam: vec![ClassMap::default(); classes],
    };
    for indices in indices.chunks(AT_ONCE) {
        let explained = explained(explainer, dataset, indices, settings)?;
        for (place, &class) in explained.classes.iter().enumerate() {
            sums.occlusion[class].add(&explained.maps.occlusion[place]);
            sums.grad_cam[class].add(&explained.maps.grad_cam[place]);
        }
        see(&explained)?;
    }
    Ok(sums)
}

fn explained(
    explainer: &Explainer<'_>,
    dataset: &Dataset,
    indices: &[usize],
    settings: &OcclusionSettings,
) -> Result<Explained> {
    let label = |&index: &usize| dataset.entry(index).label;
    let classes: Vec<usize> = indices.iter().map(label).collect();
    let pictures = pictures(dataset, indices)?;
    let maps = ByMethod {
        occlusion: rows(&explainer.occlusion(&pictures, &classes, settings)?)?,
        grad_cam: rows(&explainer.grad_cam(&pictures, &classes)?)?,
    };
    Ok(Explained {
        indices: indices.to_vec(),
        pictures,
        classes,
        maps,
    })
}

fn pictures(dataset: &Dataset, indices: &[usize]) -> Result<Tensor> {
    let pictures: Result<Vec<Picture>, _> = indices
        .iter()
        .map(|&index| dataset.picture(index))
        .collect();
    Ok(pictures_to_tensor(&pictures?, &Device::Cpu)?)
}

fn rows(maps: &Tensor) -> Result<Vec<Vec<f32>>> {
    Ok(maps.flatten_from(1)?.to_vec2()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opposite_sides_are_even_on_the_mean_and_one_sided_each() {
        let side = |left: bool, value: f32| -> Vec<f32> {
            let on = |pixel: usize| (pixel % 48 < 24) == left;
            let values = (0..PIXELS).map(|pixel| if on(pixel) { value } else { -1.0 });
            values.collect()
        };
        let mut maps = ClassMap::default();
        assert_eq!(
            (maps.profile().densities, maps.one_sidedness()),
            ([0.0; 6], [0.0; 6])
        );
        maps.add(&side(true, 0.2));
        maps.add(&side(false, 90.0));
        assert_eq!(maps.n(), 2);
        assert!(maps.mean().iter().all(|value| (value - 1.0).abs() < 1e-6));
        let balance = maps.profile().balance;
        assert!(
            balance.iter().all(|value| value.abs() < 1e-6),
            "{balance:?}"
        );
        assert_eq!(maps.one_sidedness(), [1.0; 6]);
    }
}
