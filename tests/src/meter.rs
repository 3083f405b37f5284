//! What DynamoDB says that calls consumed.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use egress::Egress;
use http::HeaderMap;
use serde_json::{Value, json};
use transport::{Limits, NetError, OutRequest, OutResponse, Transport};

/// Capacity units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Units {
    /// Write units.
    pub write: f64,
    /// Read units.
    pub read: f64,
}

/// Asks for the consumed capacity with every call to DynamoDB and adds it up. The call is changed after it was signed,
/// which DynamoDB Local does not look at.
pub struct Meter {
    egress: Egress,
    units: Mutex<Units>,
}

impl Meter {
    /// A meter at nought.
    #[must_use]
    pub fn new(egress: Egress) -> Self {
        Self { egress, units: Mutex::default() }
    }

    /// What was consumed since the last call of this.
    pub fn take(&self) -> Units {
        std::mem::take(&mut *self.units.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, operation: &str, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let units = body["ConsumedCapacity"]["CapacityUnits"].as_f64().unwrap_or_default();
        let mut sum = self.units.lock().unwrap_or_else(PoisonError::into_inner);
        match operation {
            "GetItem" | "Query" => sum.read += units,
            _ => sum.write += units,
        }
    }
}

/// The operation that a call to DynamoDB is.
fn operation(headers: &HeaderMap) -> Option<String> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    target.strip_prefix("DynamoDB_20120810.").map(str::to_owned)
}

#[async_trait]
impl Transport for Meter {
    async fn call(&self, mut request: OutRequest, limits: Limits) -> Result<OutResponse, NetError> {
        let metered = ["GetItem", "Query", "PutItem", "UpdateItem"];
        let operation = operation(&request.headers).filter(|name| metered.contains(&name.as_str()));
        if operation.is_some() {
            let mut body: Value = serde_json::from_slice(&request.body).map_err(|_| NetError::Broken)?;
            body["ReturnConsumedCapacity"] = json!("TOTAL");
            request.body = Bytes::from(body.to_string());
            request.headers.remove(http::header::CONTENT_LENGTH);
        }
        let answer = self.egress.call(request, limits).await?;
        if let Some(operation) = operation {
            self.add(&operation, &answer.body);
        }
        Ok(answer)
    }
}
