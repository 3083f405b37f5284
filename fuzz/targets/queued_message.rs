//! See `queued_message` in `bodies/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = fuzzing::queued_message::run(data);
});
