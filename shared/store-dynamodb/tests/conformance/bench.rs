//! Clients for the emulators that `cargo xtask test` starts.

#![expect(clippy::disallowed_methods, reason = "the bench is handed over in the environment")]
#![expect(clippy::print_stdout, reason = "what is left out is said")]

use aws_credential_types::Credentials;
use aws_smithy_http_client::Builder;

/// Where the component is; nothing when it was left out by name. A test that could not run has not passed, so it is
/// an error when it is neither there nor left out.
pub(crate) fn component(variable: &str, name: &str) -> Option<String> {
    if let Ok(place) = std::env::var(variable) {
        return Some(place);
    }
    let left_out = std::env::var("MAGPIE_TEST_WITHOUT").unwrap_or_default();
    if left_out.split(',').any(|part| part.trim() == name) {
        println!("left out: {name}");
        return None;
    }
    panic!(
        "{variable} is not set: run `cargo xtask test`, which starts {name}, or leave it out with --without {name}"
    );
}

fn credentials() -> Credentials {
    Credentials::from_keys("test", "test", None)
}

/// A client of DynamoDB at this address.
pub(crate) fn dynamodb(endpoint: &str) -> aws_sdk_dynamodb::Client {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region};
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials())
        .http_client(Builder::new().build_http());
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// A client of SQS at this address.
pub(crate) fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    use aws_sdk_sqs::config::{BehaviorVersion, Config, Region};
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials())
        .http_client(Builder::new().build_http());
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// A name that no other run on the same emulator has.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}
