//! The receiving function of Feishu and Lark: verifies webhooks and queues their messages.

fn main() -> anyhow::Result<()> {
    lambda::serve_webhook("magpie-feishu", feishu::KIND)
}
