//! See `dingtalk_render` in `bodies/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = fuzzing::dingtalk_render::run(data);
});
