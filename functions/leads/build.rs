//! Writes the numbering plans into the crate, so that nothing has to be unpacked when a function reads its first number.

#[path = "src/phone/source.rs"]
mod source;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/phone/source.rs");
    let folder = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    std::fs::write(PathBuf::from(folder).join("plans.txt"), source::text())?;
    Ok(())
}
