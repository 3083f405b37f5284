//! What may be said of an AWS error.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use store::StoreError;

/// The error's code, or which part of the way failed. Never the request, nor AWS's message, which may quote it.
pub(crate) fn unavailable<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> StoreError {
    let code = match error {
        SdkError::ServiceError(answer) => answer.err().code().unwrap_or("an error without a code"),
        SdkError::TimeoutError(_) => "timeout",
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "timeout",
        SdkError::DispatchFailure(_) => "the request did not get through",
        SdkError::ResponseError(_) => "the answer is not readable",
        SdkError::ConstructionFailure(_) => "the request could not be made",
        _ => "an unknown failure",
    };
    StoreError::Unavailable(code.to_owned())
}
