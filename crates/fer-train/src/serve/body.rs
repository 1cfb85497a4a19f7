//! The bytes of a picture, received within limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::serve::Limits;
use crate::serve::refusal::Refusal;

/// What memory for bodies is given out in.
const UNIT: usize = 16 << 10;

/// How long what is refused is still listened to: a client that is cut off while it sends does not read why.
const HEARD_OUT: Duration = Duration::from_secs(5);

/// Memory for all bodies together, in units of [`UNIT`] bytes.
pub(super) fn memory(limits: &Limits) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(limits.bodies / UNIT))
}

/// A body, which holds its share of the memory as long as it lives.
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
    share: Option<OwnedSemaphorePermit>,
}

/// Receives a body.
pub(super) async fn receive(
    headers: &HeaderMap,
    mut body: Body,
    limits: &Limits,
    memory: &Arc<Semaphore>,
) -> Result<Received, Refusal> {
    if is_form(headers) {
        let reason = "the body is a form, and should be the picture itself: its bytes and nothing else, as \
                      `curl --data-binary @photo.jpg` sends them";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
    }
    let received = match announced(headers) {
        Some(length) if length > limits.body => Err(too_large(limits)),
        _ => match timeout(limits.receive, collect(&mut body, limits, memory)).await {
            Ok(received) => received,
            Err(_) => {
                let seconds = limits.receive.as_secs();
                let reason = format!("the picture did not arrive within {seconds} seconds");
                return Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, reason));
            }
        },
    };
    if received.is_err() && !headers.contains_key(EXPECT) {
        // Whether it ends in time or not, it is refused.
        let _ = timeout(HEARD_OUT, hear_out(&mut body, limits)).await;
    }
    received
}

async fn collect(
    body: &mut Body,
    limits: &Limits,
    memory: &Arc<Semaphore>,
) -> Result<Received, Refusal> {
    let mut received = Received {
        bytes: Vec::new(),
        share: None,
    };
    while let Some(chunk) = next(body).await? {
        let length = received.bytes.len() + chunk.len();
        if length > limits.body {
            return Err(too_large(limits));
        }
        received.reserve(length, memory)?;
        received.bytes.extend_from_slice(&chunk);
    }
    if received.bytes.is_empty() {
        let reason = "the body is empty, and should be the bytes of a picture";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, reason));
    }
    Ok(received)
}

impl Received {
    /// Takes memory for so many bytes.
    fn reserve(&mut self, length: usize, memory: &Arc<Semaphore>) -> Result<(), Refusal> {
        let held = self
            .share
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = length.div_ceil(UNIT).saturating_sub(held);
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let Ok(more) = Arc::clone(memory).try_acquire_many_owned(missing) else {
            return Err(Refusal::busy(
                "too many large pictures are being received: try again",
            ));
        };
        match &mut self.share {
            Some(share) => share.merge(more),
            share => *share = Some(more),
        }
        Ok(())
    }
}

/// The next bytes of a body; `None` at its end.
async fn next(body: &mut Body) -> Result<Option<Bytes>, Refusal> {
    while let Some(frame) = body.frame().await {
        match frame {
            Err(error) => {
                let reason = format!("the body broke off: {error}");
                return Err(Refusal::new(StatusCode::BAD_REQUEST, reason));
            }
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
        }
    }
    Ok(None)
}

/// Reads what is left of a body, up to several times of what is allowed, and drops it.
async fn hear_out(body: &mut Body, limits: &Limits) {
    let mut left = 4 * limits.body;
    while let Ok(Some(bytes)) = next(body).await {
        match left.checked_sub(bytes.len()) {
            Some(rest) => left = rest,
            None => break,
        }
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .map_or(&b""[..], |kind| kind.as_bytes());
    kind.starts_with(b"multipart/form-data")
}

fn too_large(limits: &Limits) -> Refusal {
    let reason = format!(
        "the body is larger than {} MiB: scale the picture down",
        limits.body >> 20
    );
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
}
