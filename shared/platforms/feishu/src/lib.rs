//! All that Magpie knows of Feishu and Lark.
