//! The network, asked by few threads for all who wait: pictures of several requests go through it together.
//!
//! Each thread computes alone. One that shares a batch with the others waits for the slowest of them at
//! every layer, and where other programs want the cores too that is most of the time.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use fer_model::{Classifier, Picture, Prediction};
use rayon::ThreadPoolBuilder;
use tokio::sync::oneshot;

use crate::serve::refusal::Refusal;

/// Pictures that go through the network together, at most; those of one request are not parted.
const TOGETHER: usize = 32;

struct Question {
    pictures: Vec<Picture>,
    answer: oneshot::Sender<Result<Vec<Prediction>, Refusal>>,
}

/// Where pictures are left to be predicted. The threads behind it end with the last copy.
#[derive(Clone)]
pub(super) struct Network {
    questions: Sender<Question>,
}

impl Network {
    /// Starts so many threads.
    pub(super) fn start(classifier: &Arc<Classifier>, threads: usize) -> io::Result<Self> {
        let (questions, asked) = channel();
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..threads {
            let (classifier, asked) = (Arc::clone(classifier), Arc::clone(&asked));
            let alone = ThreadPoolBuilder::new().num_threads(1).build();
            let alone = alone.map_err(io::Error::other)?;
            let name = "predictions".to_string();
            let spawned = thread::Builder::new().name(name);
            spawned.spawn(move || alone.install(|| answer_all(&classifier, &asked)))?;
        }
        Ok(Network { questions })
    }

    /// Predicts pictures, in their order.
    pub(super) async fn predict(&self, pictures: Vec<Picture>) -> Result<Vec<Prediction>, Refusal> {
        let (answer, answered) = oneshot::channel();
        let gone = || Refusal::mistake("the network does not answer any more: restart the server");
        let question = Question { pictures, answer };
        self.questions.send(question).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

fn answer_all(classifier: &Classifier, asked: &Mutex<Receiver<Question>>) {
    while let Some(mut questions) = take(asked) {
        // Who went away does not wait for an answer.
        questions.retain(|question| !question.answer.is_closed());
        answer(classifier, questions);
    }
}

/// Waits for a question and takes those that wait beside it; `None` when nobody can ask any more.
fn take(asked: &Mutex<Receiver<Question>>) -> Option<Vec<Question>> {
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let first = asked.recv().ok()?;
    let mut count = first.pictures.len();
    let mut questions = vec![first];
    while count < TOGETHER {
        let Ok(next) = asked.try_recv() else { break };
        count += next.pictures.len();
        questions.push(next);
    }
    Some(questions)
}

fn answer(classifier: &Classifier, questions: Vec<Question>) {
    let pictures: Vec<Picture> = questions
        .iter()
        .flat_map(|question| question.pictures.iter().cloned())
        .collect();
    match classifier.predict_many(&pictures) {
        Ok(predictions) => {
            let mut predictions = predictions.into_iter();
            for question in questions {
                let own = predictions.by_ref().take(question.pictures.len()).collect();
                // Who went away meanwhile misses nothing.
                let _ = question.answer.send(Ok(own));
            }
        }
        Err(error) => {
            let reason = error.to_string();
            for question in questions {
                let _ = question.answer.send(Err(Refusal::mistake(reason.clone())));
            }
        }
    }
}
