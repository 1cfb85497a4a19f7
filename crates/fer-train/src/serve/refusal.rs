use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use fer_data::{DataError, Flaw};
use fer_model::ModelError;
use serde::Serialize;
use serde_json::json;

/// Why a request gets no answer: a status and a reason.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Refusal { status, reason }
    }

    /// Too much is asked at once; a second later it may be otherwise.
    pub(super) fn busy(reason: &str) -> Self {
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason)
    }

    /// A mistake of this program, not of the one who asks.
    pub(super) fn mistake(reason: impl Into<String>) -> Self {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, reason)
    }
}

impl From<DataError> for Refusal {
    fn from(error: DataError) -> Self {
        match error {
            DataError::Decode { flaw, reason, .. } => {
                let status = match flaw {
                    Flaw::Foreign => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    Flaw::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    Flaw::Broken => StatusCode::UNPROCESSABLE_ENTITY,
                };
                Refusal::new(status, format!("the picture cannot be decoded: {reason}"))
            }
            other => Refusal::mistake(other.to_string()),
        }
    }
}

impl From<ModelError> for Refusal {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Setting { .. } => Refusal::new(StatusCode::BAD_REQUEST, error.to_string()),
            ModelError::NoAbstention | ModelError::Risk { .. } => {
                Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            other => Refusal::mistake(other.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(&json!({ "error": self.reason }));
        *response.status_mut() = self.status;
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let second = HeaderValue::from_static("1");
            response.headers_mut().insert(RETRY_AFTER, second);
        }
        response
    }
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let mut response = Response::new(Body::from(bytes));
            let kind = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, kind);
            response
        }
        Err(error) => {
            let mut response = Response::new(Body::from(error.to_string()));
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            response
        }
    }
}

#[cfg(test)]
impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}
