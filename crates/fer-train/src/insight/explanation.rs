//! What is written to `explanation.json`.

use serde::{Deserialize, Serialize};

/// Where a network looks, over the pictures of a split that it takes for what they are.
///
/// Serialises to the JSON object of `explanation.json` and `explain --data --json`. Lists over regions
/// have the order of [`regions`](Self::regions). Every number is finite.
///
/// Maps are averaged over a class's pictures so that each picture counts alike.
///
/// **Density**: the mean of a map over a region's boxes, divided by its mean over the boxes of all
/// regions: 1 is as much as the face has on the whole, however large the region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Name of the split: `train`, `validation`, `test` or `all`.
    pub split: String,
    /// The pictures explained: those drawn from the split that are taken for what they are.
    pub n: u64,
    /// How the maps were made.
    pub settings: ExplanationSettings,
    /// Names of the regions, from the top of the face to its bottom.
    pub regions: Vec<String>,
    /// The classes in the model's order.
    pub classes: Vec<ClassExplanation>,
    /// How the regions of the expressions agree with those that EMFACS names, by method: the mean over
    /// the classes that have an [`Agreement`]; absent where none has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<ByMethod<AgreementBesideRandom>>,
    /// How the prediction falls and rises as pixels go and come in the order of the maps.
    pub curves: Curves,
}

/// How the maps were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplanationSettings {
    /// Side of the square that is hidden, in pixels.
    pub patch: u64,
    /// From one square to the next, in pixels.
    pub stride: u64,
    /// Rows and columns of the maps that Grad-CAM weighs.
    pub grad_cam_maps: [u64; 2],
    /// Networks of random weights.
    pub random_networks: u64,
    /// The pictures that each of them explained.
    pub random_pictures: u64,
    /// The pictures behind [`Curves`].
    pub curve_pictures: u64,
    /// Seed of whatever was drawn.
    pub seed: u64,
}

/// One value for each of the two methods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ByMethod<T> {
    /// Occlusion sensitivity (Zeiler & Fergus 2014).
    pub occlusion: T,
    /// Grad-CAM (Selvaraju et al. 2017).
    pub grad_cam: T,
}

/// Where a network looks for one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassExplanation {
    /// The class's name.
    pub name: String,
    /// The pictures explained.
    pub n: u64,
    /// The regions that EMFACS names for it, the one that most action units move first; empty for a
    /// class that is no expression, and for neutral.
    pub emfacs: Vec<String>,
    /// File of the mean map over the mean face, `explanation/….png` in the run directory, occlusion on
    /// the left and Grad-CAM on the right; absent without a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
    /// What the mean maps say; absent without a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance: Option<ByMethod<Importance>>,
}

/// What a class's mean map says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The density in each region.
    pub regions: Vec<f64>,
    /// The density outside all of them.
    pub outside: f64,
    /// (right − left) / (right + left) of the map in each region, −1 to 1; left and right are those of
    /// the picture, so that the person's right is negative.
    pub balance: Vec<f64>,
    /// The mean over the pictures of the same figure without its sign: how one-sided the region is,
    /// whichever the side, 0 to 1.
    pub one_sidedness: Vec<f64>,
    /// How the regions agree with those that EMFACS names; absent where it names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
    /// The same from random weights; absent where no such network explained the class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<RandomImportance>,
}

/// What the maps of networks with random weights say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomImportance {
    /// The density in each region, the mean over the networks.
    pub regions: Vec<f64>,
    /// The mean over the networks of their agreements; absent where EMFACS names no region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
}

/// How the densities in the regions agree with EMFACS.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Spearman's rank correlation of the densities with the number of the expression's action units
    /// that move each region, −1 to 1.
    pub rank_correlation: f64,
    /// The average precision of the regions, the densest first, in finding those that EMFACS names,
    /// 0 to 1.
    pub average_precision: f64,
    /// Of as many regions as EMFACS names, the densest ones: the share that it names, 0 to 1.
    pub overlap: f64,
}

/// The agreement of the network and that of random weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgreementBesideRandom {
    /// The network's.
    pub network: Agreement,
    /// That of random weights; absent without such networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random: Option<Agreement>,
}

/// Deletion and insertion (Petsiuk et al. 2018): the mean probability of the explained class while
/// cells of the picture are blurred, or brought back, in the order of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// The share of the picture that is changed at each point, from 0 to 1.
    pub share: Vec<f64>,
    /// The order of the occlusion map, the densest cells first.
    pub occlusion: OrderCurves,
    /// The order of Grad-CAM's map.
    pub grad_cam: OrderCurves,
    /// A random order.
    pub random: OrderCurves,
}

/// The curves of one order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCurves {
    /// While cells are blurred: the faster it falls the better.
    pub deletion: Curve,
    /// While the cells of a blurred picture are brought back: the faster it rises the better.
    pub insertion: Curve,
}

/// A curve with the area under it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The mean probability of the explained class at each share.
    pub probability: Vec<f64>,
    /// The area under the curve, 0 to 1, by trapezoids.
    pub area: f64,
}
