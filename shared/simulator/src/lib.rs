//! A faithful pretend Feishu, DingTalk and model server.
