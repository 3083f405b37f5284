//! See `feishu_render` in `bodies/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = fuzzing::feishu_render::run(data);
});
