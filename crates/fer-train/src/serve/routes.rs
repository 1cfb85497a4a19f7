use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::serve::asked::Asked;
use crate::serve::assets::ASSETS;
use crate::serve::body::{Received, receive};
use crate::serve::gate::Gate;
use crate::serve::refusal::{Refusal, json};
use crate::serve::work::Work;
use crate::serve::{Limits, headers};

/// The address at which a request arrived.
#[derive(Clone, Copy)]
pub(super) struct Local(pub(super) SocketAddr);

/// What all requests share.
pub(super) struct Shared {
    pub(super) gate: Gate,
    pub(super) limits: Limits,
    /// One for each picture that may be worked on or wait.
    pub(super) places: Arc<Semaphore>,
    /// Memory for bodies.
    pub(super) memory: Arc<Semaphore>,
    pub(super) work: Work,
    /// What the model says of itself, as JSON.
    pub(super) model: Bytes,
}

/// What answers requests that carry a [`Local`].
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new()
        .route("/predict", post(predict))
        .route("/explain", post(explain))
        .route("/model", get(model))
        .route("/health", get(health));
    for asset in &ASSETS {
        router = router.route(
            asset.path,
            get(move || async move { asset.into_response() }),
        );
    }
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&shared), guard))
        .layer(map_response(headers::add))
        .with_state(shared)
}

async fn guard(
    State(shared): State<Arc<Shared>>,
    Extension(Local(local)): Extension<Local>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let gate = &shared.gate;
    gate.check(request.method(), request.uri(), request.headers(), local)?;
    Ok(next.run(request).await)
}

async fn nothing_here() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is nothing at this address")
}

async fn wrong_method() -> Refusal {
    let reason = "pictures are sent by POST, and all else is asked for by GET";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason)
}

async fn health() -> Response {
    json(&json!({ "status": "ok" }))
}

async fn model(State(shared): State<Arc<Shared>>) -> Response {
    ([(CONTENT_TYPE, "application/json")], shared.model.clone()).into_response()
}

async fn predict(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Refusal> {
    let (asked, received, _place) = shared.take(request, false).await?;
    let answered = timeout(shared.limits.answer, shared.work.predict(received, asked)).await;
    Ok(json(&answered.unwrap_or_else(|_| Err(late()))?))
}

async fn explain(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Refusal> {
    let (asked, received, _place) = shared.take(request, true).await?;
    let answered = timeout(shared.limits.answer, shared.work.explain(received, asked)).await;
    Ok(json(&answered.unwrap_or_else(|_| Err(late()))?))
}

fn late() -> Refusal {
    Refusal::busy("too much else was asked: try again")
}

impl Shared {
    /// What a request asks, its picture, and the place that it takes.
    async fn take(
        &self,
        request: Request,
        explain: bool,
    ) -> Result<(Asked, Received, OwnedSemaphorePermit), Refusal> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(Refusal::busy("too many pictures are waiting: try again"));
        };
        let (head, body) = request.into_parts();
        let asked = Asked::parse(head.uri.query(), explain)?;
        let received = receive(&head.headers, body, &self.limits, &self.memory).await?;
        Ok((asked, received, place))
    }
}
