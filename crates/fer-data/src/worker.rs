//! Work that is done on many pictures at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::DataError;

/// Does one piece of work; a panic in it becomes an error that says what was being worked on.
///
/// What `work` was changing when it panicked must not be used any more: every caller gives up the
/// whole of it with the error.
pub(crate) fn guarded<T>(
    name: impl FnOnce() -> String,
    work: impl FnOnce() -> T,
) -> Result<T, DataError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| DataError::Panic {
        name: name(),
        message: message(panic.as_ref()),
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_string(),
        (_, Some(text)) => text.clone(),
        _ => "nothing".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_names_what_was_at_work() {
        let number = 3;
        let found = guarded(
            || "face.png".into(),
            || -> u32 { panic!("row {number} is missing") },
        );
        let said = found.map_err(|error| error.to_string());
        let expected =
            "face.png: the worker panicked: row 3 is missing. Please report it with this file";
        assert_eq!(said, Err(expected.to_string()));
        assert_eq!(guarded(String::new, || 7).ok(), Some(7));
    }
}
