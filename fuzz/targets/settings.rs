//! See `settings` in `bodies/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = fuzzing::settings::run(data);
});
