//! Writes the files that fuzzing begins with into `tests/fuzz/seeds`: small ones of every kind, of drawn faces.
//!
//! ```sh
//! cargo run -p fer-fuzz --example seeds
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use candle_core::Device;
use fer_data::drawn::DrawnFaces;
use fer_data::{Dataset, Expression, OpenSettings, Picture, open};
use fer_model::Parameters;
use fer_model::file::{self, Description, Preprocessing, SelfTest, TrainingSummary};
use fer_model::ops::Engine;
use fer_train::checkpoint::{Identity, encode};
use fer_train::config::Config;
use fer_train::fit::{EarlyStopping, EpochRecord, Position, Record, RunState};
use fer_train::metrics::Metrics;

fn main() -> Result<()> {
    fer2013()?;
    votes()?;
    manifests()?;
    label_maps()?;
    predictions()?;
    model()?;
    checkpoint()?;
    fs::write(
        place("config")?.join("default.toml"),
        Config::default().to_toml()?,
    )?;
    Ok(())
}

fn place(target: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("seeds")
        .join(target);
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn face(index: usize) -> Vec<u8> {
    DrawnFaces::new(0).draw(index).pixels.to_vec()
}

fn fer2013() -> Result<()> {
    let mut table = String::from("emotion,pixels,Usage\n");
    for (index, usage) in ["Training", "PublicTest", "PrivateTest"]
        .into_iter()
        .enumerate()
    {
        let pixels: Vec<String> = face(index).iter().map(ToString::to_string).collect();
        table += &format!("{},{},{usage}\n", 2 * index, pixels.join(" "));
    }
    let folder = place("fer2013")?;
    fs::write(folder.join("three.csv"), &table)?;
    let header = "emotion,pixels\r\n\"3\",\"1 2 3\"\r\n7,256,Training\r\n";
    fs::write(folder.join("broken.csv"), header)?;
    Ok(())
}

fn votes() -> Result<()> {
    let header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";
    let rows = "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\nTraining,fer0000001.png,0,9,1,0,0,0,0,0,0,0\nPublicTest,fer0028638.png,0,0,0,0,0,0,0,0,0,10\n";
    let folder = place("ferplus")?;
    fs::write(folder.join("three.csv"), format!("{header}{rows}"))?;
    fs::write(
        folder.join("two.csv"),
        format!("{header}Training,,1,2,3\n\n\"\"\n"),
    )?;
    Ok(())
}

fn manifests() -> Result<()> {
    let folder = place("manifest")?;
    let whole = "path,label,subject,split,lighting\ndark.pgm,happy,1,train,day\nfaces/light.pgm,sad,2,validation,night\ndark.pgm,fear,3,test,day\n";
    fs::write(folder.join("whole.csv"), whole)?;
    let windows = "\u{feff}Image Name,Expression\r\n\"dark.pgm\",\"3\"\r\n..\\faces\\light.pgm,0\r\nabsent.png,=1+1\r\n";
    fs::write(folder.join("windows.csv"), windows)?;
    fs::write(
        folder.join("outside.csv"),
        "file,label\n../labels.toml,happy\n/dev/zero,sad\nfaces,sad\n",
    )?;
    Ok(())
}

fn label_maps() -> Result<()> {
    let folder = place("label_map")?;
    fs::write(
        folder.join("two.toml"),
        "\"0\" = \"happy\"\n\"1\" = \"sad\"\n",
    )?;
    fs::write(
        folder.join("foreign.toml"),
        "0 = \"no face\"\n1 = \"\"\n\"Ä\" = 3\n",
    )?;
    Ok(())
}

fn predictions() -> Result<()> {
    let table = "picture,split,label,predicted,probability,right,copy_of_train,votes_entropy,p(happy),p(sad)\na.png,test,happy,sad,0.75,false,false,,0.25,0.75\n'=b.png,test,sad,sad,0.5,true,true,0.6931,0.5,0.5\n";
    Ok(fs::write(place("predictions")?.join("two.csv"), table)?)
}

/// The smallest network of each kind that has a small one.
fn small() -> Result<Vec<(&'static str, Config)>> {
    let settings = [
        (
            "mobile",
            vec!["model.arch=mobile", "model.width=1", "model.squeeze=1"],
        ),
        ("resvgg", vec!["model.arch=resvgg", "model.width=1"]),
    ];
    let made = settings.into_iter().map(|(name, settings)| {
        let mut config = Config::default();
        settings
            .iter()
            .try_for_each(|setting| config.set(setting))?;
        Ok((name, config))
    });
    made.collect()
}

fn model() -> Result<()> {
    let picture = Picture::from_pixels(&face(0), "a drawn face")?;
    for (name, config) in small()? {
        let parameters = Parameters::new(4, &Device::Cpu);
        let network = config
            .model
            .build(8, Engine::Portable, parameters.builder())?;
        let description = Description {
            format: Description::FORMAT,
            library: Description::library_name(),
            architecture: config.model.clone(),
            classes: Expression::class_names(),
            preprocessing: Preprocessing::default(),
            training: TrainingSummary::default(),
            calibration: None,
            abstention: None,
            judged: None,
            self_test: SelfTest::record(&network, &picture, &Device::Cpu)?,
        };
        let path = place("model")?.join(format!("{name}.safetensors"));
        file::save(&path, &parameters.snapshot()?, &description)?;
    }
    Ok(())
}

fn checkpoint() -> Result<()> {
    let dataset = few_faces()?;
    let [(_, mut config), _] = <[_; 2]>::try_from(small()?).map_err(|_| anyhow!("two networks"))?;
    config.training.epochs = 2;
    let parameters = Parameters::new(4, &Device::Cpu);
    config
        .model
        .build(8, Engine::Portable, parameters.builder())?;
    let identity = Identity::new(&config, &dataset, &Device::Cpu, Engine::Portable)?;
    let weights = parameters.snapshot()?;
    let training = &config.training;
    let state = RunState {
        record: Record {
            position: Position {
                epoch: 2,
                batch: 1,
                step: 9,
            },
            halvings: 0,
            trained: Metrics::new(dataset.class_names()),
            watch: EarlyStopping::new(training.monitor, training.min_delta, training.patience),
            plateau: None,
            best_epoch: Some(1),
            history: vec![EpochRecord {
                epoch: 1,
                train_loss: 2.0,
                train_accuracy: 0.25,
                validation_loss: Some(2.1),
                validation_accuracy: None,
                learning_rate: 0.001,
            }],
        },
        optimiser: weights.clone(),
        average: None,
        best: None,
        weights,
        timings: Vec::new(),
    };
    Ok(fs::write(
        place("checkpoint")?.join("mobile.safetensors"),
        encode(&identity, &state)?,
    )?)
}

fn few_faces() -> Result<Dataset> {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/fer2013/three.csv");
    Ok(open(&table, &OpenSettings::default())?)
}
