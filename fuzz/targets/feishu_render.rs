//! See `feishu_render` in `bodies/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    fuzzing::feishu_render::run(data);
});
