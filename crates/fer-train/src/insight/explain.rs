use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use candle_core::Device;
use fer_data::{Dataset, Expression, Region, Split};
use fer_model::explain::{Explainer, OcclusionSettings};
use fer_model::{Architecture, Network, Parameters, Sequential};

use super::curves::CurveSums;
use super::mean_maps::mean_maps;
use super::{
    Agreement, AgreementBesideRandom, ByMethod, ClassExplanation, ClassMap, Explanation,
    ExplanationSettings, Importance, RandomImportance, stratified_sample,
};
use crate::evaluation::evaluate;

/// How a data set is explained.
#[derive(Clone, Debug, PartialEq)]
pub struct InsightSettings {
    /// The square that hides. Default that of [`OcclusionSettings`].
    pub occlusion: OcclusionSettings,
    /// The most pictures to explain, drawn evenly over the classes; all, where absent. Default absent.
    pub pictures: Option<usize>,
    /// Networks of random weights to explain beside. Default 5.
    pub random_networks: usize,
    /// The most pictures that each of them explains, drawn evenly over the classes. Default 96.
    pub random_pictures: usize,
    /// The most pictures for deletion and insertion, drawn evenly over the classes. Default 240.
    pub curve_pictures: usize,
    /// Seed of what is drawn. Default 0.
    pub seed: u64,
}

impl Default for InsightSettings {
    fn default() -> Self {
        InsightSettings {
            occlusion: OcclusionSettings::default(),
            pictures: None,
            random_networks: 5,
            random_pictures: 96,
            curve_pictures: 240,
            seed: 0,
        }
    }
}

/// The network that is explained, and the pictures.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The network.
    pub network: &'a Sequential,
    /// What it is, to make the same with random weights.
    pub architecture: &'a Architecture,
    /// The pictures, of the network's classes.
    pub dataset: &'a Dataset,
    /// Those of this split; all, where absent.
    pub split: Option<Split>,
    /// Where the network is.
    pub device: &'a Device,
}

/// Where a network looks, with the maps behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Insight {
    /// What is written to `explanation.json`.
    pub explanation: Explanation,
    /// The maps by class.
    pub maps: ByMethod<Vec<ClassMap>>,
    /// The pictures explained, as indices in the data set.
    pub indices: Vec<usize>,
}

/// Explains a network over the pictures that it takes for what they are: of each the class that it
/// shows, by occlusion and by Grad-CAM. `tell` hears how many maps are made, and of how many.
///
/// # Errors
/// No picture in the split, or none taken for what it is; a picture that cannot be read; a device that
/// fails.
pub fn explain(
    subject: &Subject<'_>,
    settings: &InsightSettings,
    tell: &mut dyn FnMut(usize, usize),
) -> Result<Insight> {
    let Subject {
        network, dataset, ..
    } = *subject;
    let right = rightly_predicted(subject)?;
    let label = |index: usize| dataset.entry(index).label;
    let sample = |of: &[usize], most: usize| stratified_sample(of, label, most, settings.seed);
    let indices = sample(&right, settings.pictures.unwrap_or(usize::MAX));
    let random_indices = sample(&indices, settings.random_pictures);
    let of_curves: BTreeSet<usize> = sample(&indices, settings.curve_pictures)
        .into_iter()
        .collect();
    let work = indices.len() + settings.random_networks * random_indices.len();

    let explainer = Explainer::new(network)?;
    let (mut done, mut curves) = (0, CurveSums::new(settings.seed));
    let occlusion = &settings.occlusion;
    let maps = mean_maps(&explainer, dataset, &indices, occlusion, |pictures| {
        done += pictures.indices.len();
        tell(done, work);
        match pictures.only(&of_curves)? {
            Some(chosen) => curves.add(&explainer, &chosen),
            None => Ok(()),
        }
    })?;
    let mut random = Vec::with_capacity(settings.random_networks);
    for number in 0..settings.random_networks {
        let network = random_network(subject, number as u64)?;
        let explainer = Explainer::new(&network)?;
        random.push(mean_maps(
            &explainer,
            dataset,
            &random_indices,
            occlusion,
            |pictures| {
                done += pictures.indices.len();
                tell(done, work);
                Ok(())
            },
        )?);
    }
    let settings = ExplanationSettings {
        patch: occlusion.patch as u64,
        stride: occlusion.stride as u64,
        grad_cam_maps: explainer.grad_cam_maps()?.map(|side| side as u64),
        random_networks: random.len() as u64,
        random_pictures: random_indices.len() as u64,
        curve_pictures: curves.n(),
        seed: settings.seed,
    };
    let classes = classes(dataset, &maps, &random);
    let explanation = Explanation {
        split: subject.split.map_or("all", Split::name).to_string(),
        n: indices.len() as u64,
        settings,
        regions: Region::ALL.map(|region| region.name().to_string()).to_vec(),
        agreement: agreement(&classes),
        classes,
        curves: curves.curves(),
    };
    Ok(Insight {
        explanation,
        maps,
        indices,
    })
}

/// The pictures of the split that the network takes for what they are.
fn rightly_predicted(subject: &Subject<'_>) -> Result<Vec<usize>> {
    let dataset = subject.dataset;
    let indices = match subject.split {
        Some(split) => dataset.indices(split),
        None => (0..dataset.len()).collect(),
    };
    ensure!(
        !indices.is_empty(),
        "{} has no {} pictures",
        dataset.name(),
        subject.split.map_or("", Split::name)
    );
    let judged = evaluate(subject.network, dataset, indices, subject.device)?;
    let pairs = judged.indices.iter().zip(&judged.predicted);
    let right: Vec<usize> = pairs
        .filter(|&(&index, &class)| dataset.entry(index).label == class)
        .map(|(&index, _)| index)
        .collect();
    ensure!(
        !right.is_empty(),
        "the model takes none of the {} pictures for what they are, so there is nothing to explain",
        judged.indices.len()
    );
    Ok(right)
}

/// The same network with the initial weights of a seed.
fn random_network(subject: &Subject<'_>, seed: u64) -> Result<Sequential> {
    let parameters = Parameters::new(seed, subject.device);
    let classes = subject.dataset.class_names().len();
    let engine = subject.network.engine();
    Ok(subject
        .architecture
        .build(classes, engine, parameters.builder())?)
}

fn classes(
    dataset: &Dataset,
    maps: &ByMethod<Vec<ClassMap>>,
    random: &[ByMethod<Vec<ClassMap>>],
) -> Vec<ClassExplanation> {
    let names = dataset.class_names().iter().enumerate();
    let explanations = names.map(|(class, name)| {
        let expression = name.parse::<Expression>().ok();
        let of = |by_method: &dyn Fn(&ByMethod<Vec<ClassMap>>) -> ClassMap| {
            let random: Vec<ClassMap> = random.iter().map(by_method).collect();
            importance(expression, &by_method(maps), &random)
        };
        let n = maps.occlusion[class].n();
        let emfacs = expression.map_or_else(Vec::new, Expression::regions);
        ClassExplanation {
            name: name.to_string(),
            n,
            emfacs: emfacs
                .iter()
                .map(|(region, _)| region.name().to_string())
                .collect(),
            map: None,
            importance: (n > 0).then(|| ByMethod {
                occlusion: of(&|maps| maps.occlusion[class].clone()),
                grad_cam: of(&|maps| maps.grad_cam[class].clone()),
            }),
        }
    });
    explanations.collect()
}

fn importance(expression: Option<Expression>, map: &ClassMap, random: &[ClassMap]) -> Importance {
    let profile = map.profile();
    let agreement = |densities| Agreement::of(expression?, densities);
    let random: Vec<[f64; Region::ALL.len()]> = random
        .iter()
        .filter(|map| map.n() > 0)
        .map(|map| map.profile().densities)
        .collect();
    let agreements: Vec<Agreement> = random.iter().filter_map(agreement).collect();
    let mean = |region: usize| {
        random
            .iter()
            .map(|densities| densities[region])
            .sum::<f64>()
            / random.len() as f64
    };
    Importance {
        regions: profile.densities.to_vec(),
        outside: profile.outside,
        balance: profile.balance.to_vec(),
        one_sidedness: map.one_sidedness().to_vec(),
        agreement: agreement(&profile.densities),
        random: (!random.is_empty()).then(|| RandomImportance {
            regions: (0..Region::ALL.len()).map(mean).collect(),
            agreement: Agreement::mean(&agreements),
        }),
    }
}

/// The means over the classes.
fn agreement(classes: &[ClassExplanation]) -> Option<ByMethod<AgreementBesideRandom>> {
    let of = |method: fn(&ByMethod<Importance>) -> &Importance| {
        let all = || {
            classes
                .iter()
                .filter_map(|class| Some(method(class.importance.as_ref()?)))
        };
        let network: Vec<Agreement> = all().filter_map(|one| one.agreement).collect();
        let random: Vec<Agreement> = all()
            .filter_map(|one| one.random.as_ref()?.agreement)
            .collect();
        Some(AgreementBesideRandom {
            network: Agreement::mean(&network)?,
            random: Agreement::mean(&random),
        })
    };
    Some(ByMethod {
        occlusion: of(|methods| &methods.occlusion)?,
        grad_cam: of(|methods| &methods.grad_cam)?,
    })
}
