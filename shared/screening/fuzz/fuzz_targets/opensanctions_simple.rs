//! Any bytes as this list: an error or entries, never a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = screening::lists::format::Format::OpenSanctionsSimple.read("fuzz", bytes);
});
