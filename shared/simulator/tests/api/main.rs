//! Every documented answer of the pretend platforms, over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod dingtalk;
mod dingtalk_custom;
mod faults;
mod feishu;
mod feishu_custom;
mod feishu_send;
mod model;
mod support;
