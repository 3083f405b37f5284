//! The function that answers turns: from the queue to the model and to the platform.

fn main() -> anyhow::Result<()> {
    lambda::run_worker("magpie-worker", &[feishu::KIND, dingtalk::KIND])
}
