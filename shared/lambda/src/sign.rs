//! Signing model calls with the function's role, for Amazon Bedrock.

use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use async_trait::async_trait;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4::SigningParams,
};
use aws_types::SdkConfig;
use chat::Clock;
use http::{HeaderName, header};
use transport::OutRequest;
use url::Url;

/// The service in whose name is signed, whatever its hosts are called.
const SERVICE: &str = "bedrock";

/// Signs calls to Amazon Bedrock with the credentials of the SDK's configuration (Signature Version 4).
pub struct RoleSigner {
    aws: SdkConfig,
    clock: Arc<dyn Clock>,
}

impl RoleSigner {
    /// A signer with this configuration's credentials, and its region where an address names none.
    #[must_use]
    pub fn new(aws: SdkConfig, clock: Arc<dyn Clock>) -> Self {
        Self { aws, clock }
    }

    async fn headers(&self, request: &OutRequest) -> anyhow::Result<Vec<(HeaderName, String)>> {
        let provider = self.aws.credentials_provider().ok_or_else(|| anyhow::anyhow!("no credentials"))?;
        let identity = provider.provide_credentials().await?.into();
        let region = region(&request.url).or_else(|| self.aws.region().map(AsRef::as_ref));
        let now = Duration::from_millis(u64::try_from(self.clock.now().as_millis())?);
        let params = SigningParams::builder()
            .identity(&identity)
            .region(region.ok_or_else(|| anyhow::anyhow!("no region"))?)
            .name(SERVICE)
            .time(UNIX_EPOCH + now)
            .settings(SigningSettings::default())
            .build()?
            .into();
        let kind = request.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let signed = SignableRequest::new(
            request.method.as_str(),
            request.url.as_str(),
            kind.map(|kind| (header::CONTENT_TYPE.as_str(), kind)).into_iter(),
            SignableBody::Bytes(&request.body),
        )?;
        let (instructions, _) = sign(signed, &params)?.into_parts();
        let headers = instructions.headers().map(|(name, value)| Ok((name.parse()?, value.to_owned())));
        headers.collect()
    }
}

#[async_trait]
impl routing::Signer for RoleSigner {
    async fn sign(&self, request: OutRequest) -> OutRequest {
        match self.headers(&request).await {
            Ok(headers) => headers
                .into_iter()
                .fold(request, |request, (name, value)| request.with_secret_header(name, &value)),
            Err(error) => {
                tracing::warn!(%error, "a model call could not be signed with the function's role");
                request
            }
        }
    }
}

/// The region in the name of a host of Bedrock, which may be another than the function's.
fn region(url: &Url) -> Option<&str> {
    let mut labels = url.host_str()?.split('.');
    labels.find(|label| matches!(*label, "bedrock-runtime" | "bedrock-runtime-fips"))?;
    labels.next()
}

#[cfg(test)]
mod tests {
    use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
    use aws_types::region::Region;
    use chat::Timestamp;
    use routing::Signer as _;

    use super::*;

    struct Noon;

    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            // 2026-11-22 12:00:00 UTC
            Timestamp::from_millis(1_795_348_800_000)
        }
    }

    fn signer(session: Option<&str>) -> RoleSigner {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIDEXAMPLE", secret, session.map(str::to_owned), None, "test");
        let aws = SdkConfig::builder()
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        RoleSigner::new(aws, Arc::new(Noon))
    }

    fn call(host: &str) -> OutRequest {
        let url = format!("https://{host}/model/amazon.nova-lite-v1%3A0/converse-stream");
        OutRequest::post_json(url.parse().unwrap(), r#"{"messages":[]}"#)
    }

    /// The signature was computed apart from this code, from the description of Signature Version 4.
    #[tokio::test]
    async fn a_call_is_signed_as_the_service_checks_it() {
        let signed = signer(None).sign(call("bedrock-runtime.us-east-1.amazonaws.com")).await;
        assert_eq!(signed.headers["x-amz-date"], "20261122T120000Z");
        assert_eq!(
            signed.headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/bedrock/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature=933ef85a8df10bb4e06bfec815b9e6a231ffbe5e958db05b1d4edd04e4c36533"
        );
        assert!(signed.headers["authorization"].is_sensitive());
        assert!(signed.headers.get("x-amz-security-token").is_none());
    }

    #[tokio::test]
    async fn a_role_has_a_session_and_other_hosts_the_functions_region() {
        let signed = signer(Some("session")).sign(call("127.0.0.1:9")).await;
        assert_eq!(signed.headers["x-amz-security-token"], "session");
        let credential = signed.headers["authorization"].to_str().unwrap();
        assert!(credential.contains("/20261122/eu-west-1/bedrock/aws4_request"), "{credential}");
    }

    #[tokio::test]
    async fn without_credentials_a_call_goes_as_it_is() {
        let nobody =
            RoleSigner::new(SdkConfig::builder().region(Region::new("eu-west-1")).build(), Arc::new(Noon));
        assert!(nobody.sign(call("h")).await.headers.get("authorization").is_none());
    }

    #[test]
    fn a_host_of_the_service_names_its_region() {
        for (host, found) in [
            ("bedrock-runtime.us-east-1.amazonaws.com", Some("us-east-1")),
            ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("vpce-1-2.bedrock-runtime.eu-central-1.vpce.amazonaws.com", Some("eu-central-1")),
            ("models.example.com", None),
        ] {
            assert_eq!(region(&call(host).url), found, "{host}");
        }
    }
}
