//! The methods on faces that differ in one region only: the generator knows where it drew what.

use candle_core::Device;
use fer_data::ActionUnit::*;
use fer_data::drawn::{Face, Identity, Muscles, Scene, Side};
use fer_data::random::stream;
use fer_data::{
    ActionUnit, ClassNames, DataError, Dataset, DatasetParts, Entry, Expression, Picture,
    PictureStore, Region, Split, SplitSettings,
};
use fer_model::explain::{Explainer, OcclusionSettings};
use fer_model::ops::Engine;
use fer_model::{Architecture, Parameters, Sequential, VggSettings, pictures_to_tensor};
use fer_train::evaluation::evaluate;
use fer_train::fit::{FitSettings, Schedule, Silent, Trainer};
use fer_train::insight::{ClassMap, Profile};
use rand::RngExt;

/// An expression drawn by units that move one region and no other.
#[derive(Clone, Copy)]
struct Task {
    expression: Expression,
    region: Region,
    units: &'static [ActionUnit],
}

/// The seven expressive classes; no region serves more than two.
const TASKS: [Task; 7] = [
    Task::new(
        Expression::Angry,
        Region::Eyes,
        &[UpperLidRaiser, LidTightener],
    ),
    Task::new(
        Expression::Contempt,
        Region::Mouth,
        &[LipCornerPuller, Dimpler],
    ),
    Task::new(Expression::Disgust, Region::Nose, &[NoseWrinkler]),
    Task::new(Expression::Fear, Region::Eyes, &[UpperLidRaiser]),
    Task::new(Expression::Happy, Region::Mouth, &[LipCornerPuller]),
    Task::new(
        Expression::Sad,
        Region::Brow,
        &[InnerBrowRaiser, BrowLowerer],
    ),
    Task::new(
        Expression::Surprised,
        Region::Brow,
        &[InnerBrowRaiser, OuterBrowRaiser],
    ),
];

impl Task {
    const fn new(expression: Expression, region: Region, units: &'static [ActionUnit]) -> Task {
        Task {
            expression,
            region,
            units,
        }
    }

    /// The half of the picture on which a face shows it.
    fn side(&self, person: usize) -> Side {
        let is_contempt = self.expression == Expression::Contempt;
        match stream(5, "side", person as u64).random() {
            _ if !is_contempt => Side::Middle,
            true => Side::Left,
            false => Side::Right,
        }
    }

    /// Person `position / 2`, neutral at even positions and with the expression at odd ones.
    fn draw(&self, position: usize) -> Face {
        let person = position / 2;
        let chance = &mut stream(5, "one region", position as u64);
        let mut muscles = Muscles::relaxed();
        if position % 2 == 1 {
            for &unit in self.units {
                muscles.set_side(unit, self.side(person), chance.random_range(0.8..1.0));
            }
        }
        Face::draw(
            &Identity::new(5, person as u32),
            &muscles,
            &Scene::random(chance),
        )
    }
}

impl PictureStore for Task {
    fn picture(&self, position: usize) -> Result<Picture, DataError> {
        Picture::from_pixels(&self.draw(position).pixels, &self.origin(position))
    }

    fn origin(&self, position: usize) -> String {
        format!("{} {position}", self.expression)
    }
}

const PEOPLE: usize = 420;
const TEST_PEOPLE: usize = 60;

fn dataset(task: Task) -> Dataset {
    let entries = (0..2 * PEOPLE).map(|position| Entry {
        position,
        label: position % 2,
        distribution: None,
        subject: Some((position / 2) as u32),
        split: match position / 2 < TEST_PEOPLE {
            true => Split::Test,
            false => Split::Train,
        },
    });
    Dataset::new(DatasetParts {
        name: format!("{} in one region", task.expression),
        class_names: ClassNames::new(["neutral", task.expression.name()]).unwrap(),
        entries: entries.collect(),
        store: Box::new(task),
        skipped: Vec::new(),
        split_rule: "by subject".into(),
        split_settings: SplitSettings::default(),
    })
    .unwrap()
}

fn network(seed: u64) -> (Sequential, Parameters) {
    let parameters = Parameters::new(seed, &Device::Cpu);
    let settings = VggSettings {
        width: 8,
        dropout: 0.2,
    };
    let network = Architecture::Vgg(settings).build(2, Engine::detect(), parameters.builder());
    (network.unwrap(), parameters)
}

fn trained(dataset: &Dataset) -> Sequential {
    let (network, parameters) = network(1);
    let settings = FitSettings {
        epochs: 14,
        learning_rate: 4e-3,
        schedule: Schedule::default(),
        ..FitSettings::default()
    };
    let trainer = Trainer {
        network: &network,
        smaller: Default::default(),
        parameters: &parameters,
        dataset,
        settings: &settings.check().unwrap(),
        device: &Device::Cpu,
    };
    trainer.run(&mut Silent).unwrap();
    network
}

/// Test pictures of the expression that the network takes for it.
fn recognised(network: &Sequential, dataset: &Dataset) -> (Vec<usize>, f64) {
    let indices = dataset.indices(Split::Test);
    let judged = evaluate(network, dataset, indices, &Device::Cpu).unwrap();
    let pairs = judged.indices.iter().zip(&judged.predicted);
    let shown = pairs.filter(|&(index, class)| index % 2 == 1 && *class == 1);
    (
        shown.map(|(&index, _)| index).collect(),
        judged.metrics.accuracy(),
    )
}

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Occlusion,
    GradCam,
}

fn maps(
    network: &Sequential,
    dataset: &Dataset,
    indices: &[usize],
    method: Method,
) -> Vec<Vec<f32>> {
    let explainer = Explainer::new(network).unwrap();
    let pictures: Vec<Picture> = indices
        .iter()
        .map(|&index| dataset.picture(index).unwrap().clone())
        .collect();
    let pictures = pictures_to_tensor(&pictures, &Device::Cpu).unwrap();
    let classes = vec![1; indices.len()];
    let maps = match method {
        Method::Occlusion => {
            explainer.occlusion(&pictures, &classes, &OcclusionSettings::default())
        }
        Method::GradCam => explainer.grad_cam(&pictures, &classes),
    };
    maps.unwrap().flatten_from(1).unwrap().to_vec2().unwrap()
}

fn profile(maps: &[Vec<f32>]) -> Profile {
    let mut sum = ClassMap::default();
    maps.iter().for_each(|map| sum.add(map));
    sum.profile()
}

#[test]
fn the_one_region_that_differs_ranks_first() {
    let (mut first, mut first_by_gradient) = (0, 0);
    let mut by_chance = 0;
    for task in TASKS {
        let dataset = dataset(task);
        let network_ = trained(&dataset);
        let (indices, accuracy) = recognised(&network_, &dataset);
        let maps_ = maps(&network_, &dataset, &indices, Method::Occlusion);
        let occlusion = profile(&maps_);
        let grad_cam = profile(&maps(&network_, &dataset, &indices, Method::GradCam));
        first += usize::from(occlusion.ranking()[0] == task.region);
        first_by_gradient += usize::from(grad_cam.ranking()[0] == task.region);
        println!(
            "{:10} {:6} accuracy {accuracy:.3} occlusion {:.2?} {:.2} grad-cam {:.2?}",
            task.expression.name(),
            task.region.name(),
            occlusion.densities,
            occlusion.outside,
            grad_cam.densities
        );
        if task.expression == Expression::Contempt {
            let mut right = 0;
            for (map, &index) in maps_.iter().zip(&indices) {
                let map: Vec<f64> = map.iter().map(|&value| f64::from(value)).collect();
                let balance = Profile::of(&map).balance[Region::Mouth.index()];
                right += usize::from((balance > 0.0) == (task.side(index / 2) == Side::Right));
            }
            println!("sides {right} of {}", indices.len());
        }
        let some: Vec<usize> = indices.iter().copied().take(16).collect();
        for seed in 0..10 {
            let (random, _parameters) = network(1000 + seed);
            let profile = profile(&maps(&random, &dataset, &some, Method::Occlusion));
            by_chance += usize::from(profile.ranking()[0] == task.region);
        }
    }
    println!(
        "{first} of 7, grad-cam {first_by_gradient} of 7, random mean {}",
        by_chance as f64 / 10.0
    );
}
