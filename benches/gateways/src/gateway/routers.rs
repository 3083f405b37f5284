//! The two routers of inference engines, which spread questions over equal servers.

use super::{
    Product, Programs, Track, budget,
    process::{Process, bound_to_us, free_port},
};

pub(super) async fn track(product: Product, programs: &Programs, base: &str) -> anyhow::Result<Track> {
    let program = programs.of(product)?;
    let metrics = free_port()?;
    let process = Process::start(product.name(), &programs.logs, "/health", |port| {
        let mut command = bound_to_us(program);
        if product == Product::SglangRouter {
            command.arg("launch");
        }
        command.args(["--host", "127.0.0.1", "--port", &port.to_string(), "--worker-urls", base]);
        // The cheapest policy that both have: what is measured is the way through, not the choice.
        command.args(["--policy", "round_robin", "--log-level", "error"]);
        command.args(["--retry-max-retries", &budget::MEASURED_RETRIES.to_string()]);
        command.args(["--prometheus-host", "127.0.0.1", "--prometheus-port", &metrics.to_string()]);
        command
    })
    .await?;
    Track::of(process)
}
