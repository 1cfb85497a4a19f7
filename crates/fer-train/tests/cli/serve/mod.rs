//! The server: what it answers, whom it answers, and what it bears.

mod answers;
mod client;
mod command;
mod limits;
mod page;
mod strangers;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

pub(crate) use client::post;
pub(crate) use command::Serving;

use fer_model::file::{Abstention, AbstentionOrigin, AbstentionStep, builtin};
use fer_model::ops::Engine;
use fer_model::{Classifier, Device};
use fer_train::serve::{Limits, Server, Settings};

/// A server of the built-in model on a free port, which ends with the test.
struct Running {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(limits: Limits) -> Self {
        Running::of(Classifier::builtin().unwrap(), limits)
    }

    fn of(classifier: Classifier, limits: Limits) -> Self {
        let settings = Settings {
            port: 0,
            limits,
            ..Settings::default()
        };
        let server = Server::bind(classifier, settings).unwrap();
        let address = server.address();
        let stop = Arc::new(AtomicBool::new(false));
        let asked_to_end = Arc::clone(&stop);
        let thread = std::thread::spawn(move || server.run(&asked_to_end));
        Running {
            address,
            stop,
            thread: Some(thread),
        }
    }

    /// Asks it to end and waits until it has.
    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A test that failed already says more than this would.
            let _ = thread.join();
        }
    }
}

/// The built-in model as if it had been measured: below `threshold` it is unsure at a risk of a tenth.
fn measured(threshold: f64) -> Classifier {
    let mut model = builtin(&Device::Cpu, Engine::detect()).unwrap();
    let step = |risk, threshold, coverage| AbstentionStep {
        risk,
        threshold,
        coverage,
    };
    model.description.abstention = Some(Abstention {
        steps: vec![step(0.2, 0.0, 1.0), step(0.1, threshold, 0.5)],
        origin: AbstentionOrigin::CarriedOver { pictures: 100 },
    });
    Classifier::new(model, &Device::Cpu).unwrap()
}

fn asset(name: &str) -> Vec<u8> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets");
    std::fs::read(assets.join(name)).unwrap()
}
