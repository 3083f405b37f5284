//! The receiving function of DingTalk: verifies webhooks and queues their messages.

fn main() -> anyhow::Result<()> {
    lambda::serve_webhook("magpie-dingtalk", dingtalk::KIND)
}
