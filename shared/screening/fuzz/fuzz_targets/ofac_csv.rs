//! Any bytes as OFAC's names, aliases, addresses and comments, cut at zero bytes.
#![no_main]

use screening::lists::ofac_csv::{OfacFiles, read};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut files = bytes.splitn(4, |byte| *byte == 0);
    let primary = files.next().unwrap_or_default();
    let files = OfacFiles { list: "fuzz", primary, aliases: files.next(), addresses: files.next(), comments: files.next() };
    let _ = read(&files);
});
