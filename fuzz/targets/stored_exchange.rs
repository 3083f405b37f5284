//! See `stored_exchange` in `bodies/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = fuzzing::stored_exchange::run(data);
});
