//! See `dingtalk_webhook` in `bodies/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = fuzzing::dingtalk_webhook::run(data);
});
