//! A model behind HTTP: a page in the browser, and the answers of `predict` for other programs.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//!
//! use fer_model::{Classifier, Device};
//! use fer_train::serve::{Server, Settings};
//!
//! # fn main() -> anyhow::Result<()> {
//! let classifier = Classifier::load("model.safetensors", &Device::Cpu)?;
//! let server = Server::bind(classifier, Settings::default())?;
//! println!("http://{}/", server.address());
//! server.run(&AtomicBool::new(false));
//! # Ok(())
//! # }
//! ```
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | the page; it asks nobody but this server |
//! | `POST /predict` | the body is a picture; the JSON array of `predict --json` with `path` null |
//! | `POST /explain` | the same, each face with where the network looked: occlusion, 48×48 values |
//! | `GET /model` | what the model says of itself |
//! | `GET /health` | `{"status":"ok"}` while it takes requests |
//!
//! Both `POST`s take in their query: `detect=false` takes the picture for a face; `risk=SHARE` abstains as
//! `predict --abstain-risk` does; `pixels=true` adds the face as the network sees it, 2,304 grey values in
//! base 64; `quick=true` looks through 480 pixels a side, upright only, as for a camera;
//! `near=x,y,width,height`, once a face, looks for faces where they were a moment ago, upright only, and through
//! the whole picture only where one is gone. `/explain` also takes `class=NAME`, the class to explain in place of the
//! one that was predicted.
//!
//! What is wrong is a 4xx with `{"error": reason}`; where too much is asked at once a 503 says when to try
//! again. No picture is written anywhere or logged, and none outlives its answer.
//!
//! # Who may ask
//!
//! The server listens on loopback unless told otherwise. A request must name the server by an address that
//! it has or a name that it was told of, so that no web page reaches it under a name of its own (DNS
//! rebinding), and a `POST` that a web page sends must come from the server's own page. What a request may
//! cost is bounded by [`Limits`].

mod asked;
mod assets;
mod body;
mod explanation;
mod gate;
mod headers;
mod limits;
mod model;
mod network;
mod refusal;
mod routes;
mod search;
mod server;
mod settings;
mod work;

pub use limits::Limits;
pub use server::{ServeError, Server};
pub use settings::Settings;
