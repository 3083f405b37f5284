//! All that Magpie knows of DingTalk.
