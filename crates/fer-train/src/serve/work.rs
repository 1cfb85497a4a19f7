//! A picture that was received becomes answers.

use std::sync::Arc;

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fer_model::{Classifier, Picture, Prediction};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::answer::{Answer, Seen};
use crate::serve::asked::Asked;
use crate::serve::body::Received;
use crate::serve::explanation::{self, Occlusion};
use crate::serve::network::Network;
use crate::serve::refusal::Refusal;
use crate::serve::search::Search;

/// The most faces of one picture that are explained; the largest are.
const MOST_EXPLAINED: usize = 8;

/// One element of the array that answers a picture.
#[derive(Serialize)]
pub(super) struct Element {
    #[serde(flatten)]
    answer: Answer,
    /// The face as the network sees it: 2,304 grey values in base 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pixels: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    occlusion: Option<Occlusion>,
}

/// What is done with pictures.
pub(super) struct Work {
    classifier: Arc<Classifier>,
    search: Arc<Search>,
    network: Network,
    /// One for each piece of work that may go on at once.
    turns: Arc<Semaphore>,
}

impl Work {
    pub(super) fn new(
        classifier: Arc<Classifier>,
        search: Search,
        network: Network,
        at_work: usize,
    ) -> Self {
        Work {
            classifier,
            search: Arc::new(search),
            network,
            turns: Arc::new(Semaphore::new(at_work)),
        }
    }

    /// What the model says of each face in a picture.
    pub(super) async fn predict(
        &self,
        received: Received,
        asked: Asked,
    ) -> Result<Vec<Element>, Refusal> {
        let threshold = self.threshold(&asked)?;
        let pixels = asked.pixels;
        let (faces, predictions) = self.look(received, asked).await?;
        Ok(elements(faces, &predictions, threshold, pixels))
    }

    /// The same, and where the network looked.
    pub(super) async fn explain(
        &self,
        received: Received,
        asked: Asked,
    ) -> Result<Vec<Element>, Refusal> {
        let threshold = self.threshold(&asked)?;
        let class = self.class(&asked)?;
        let pixels = asked.pixels;
        let (faces, predictions) = self.look(received, asked).await?;
        let pictures = faces.iter().map(|seen| seen.picture.clone());
        let pictures: Vec<Picture> = pictures.take(MOST_EXPLAINED).collect();
        let classes = predictions.iter().take(MOST_EXPLAINED);
        let classes = classes.map(|prediction| class.unwrap_or_else(|| prediction.class()));
        let classes: Vec<usize> = classes.collect();
        let classifier = Arc::clone(&self.classifier);
        let maps = self.at_its_turn(move || {
            explanation::maps(&classifier, &pictures, &classes)
                .map_err(|error| Refusal::mistake(error.to_string()))
        });
        let maps = maps.await?;
        let mut elements = elements(faces, &predictions, threshold, pixels);
        for (element, map) in elements.iter_mut().zip(maps) {
            element.occlusion = Some(map);
        }
        Ok(elements)
    }

    async fn look(
        &self,
        received: Received,
        asked: Asked,
    ) -> Result<(Vec<Seen>, Vec<Prediction>), Refusal> {
        let search = Arc::clone(&self.search);
        let faces = self.at_its_turn(move || search.faces(&received.bytes, &asked));
        let faces = faces.await?;
        if faces.is_empty() {
            return Ok((faces, Vec::new()));
        }
        let pictures = faces.iter().map(|seen| seen.picture.clone()).collect();
        let predictions = self.network.predict(pictures).await?;
        Ok((faces, predictions))
    }

    /// Does what takes a core for a while where no request has to wait behind it.
    async fn at_its_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let gone = |_| Refusal::mistake("the server is ending");
        let turn = Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(gone)?;
        let done = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        match done.await {
            Ok(done) => done,
            Err(_) => Err(Refusal::mistake(
                "this picture met a mistake in the program: please report it with the picture",
            )),
        }
    }

    fn threshold(&self, asked: &Asked) -> Result<f64, Refusal> {
        match asked.risk {
            Some(risk) => Ok(self.classifier.at_risk(risk)?.threshold),
            None => Ok(0.0),
        }
    }

    fn class(&self, asked: &Asked) -> Result<Option<usize>, Refusal> {
        let Some(name) = &asked.class else {
            return Ok(None);
        };
        let classes = self.classifier.class_names();
        let unknown = || {
            let reason = format!("the model has no class `{name}`; its classes are: {classes}");
            Refusal::new(StatusCode::BAD_REQUEST, reason)
        };
        classes.index(name).map(Some).ok_or_else(unknown)
    }
}

fn elements(
    faces: Vec<Seen>,
    predictions: &[Prediction],
    threshold: f64,
    pixels: bool,
) -> Vec<Element> {
    if faces.is_empty() {
        return vec![Element {
            answer: Answer::no_face(None),
            pixels: None,
            occlusion: None,
        }];
    }
    let element = |(seen, prediction): (Seen, &Prediction)| Element {
        answer: Answer::predicted(None, seen.bounds, prediction, threshold),
        pixels: pixels.then(|| STANDARD.encode(seen.picture.pixels())),
        occlusion: None,
    };
    faces.into_iter().zip(predictions).map(element).collect()
}
