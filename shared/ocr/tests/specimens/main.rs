//! Reads specimens, and counts what is right.
#![allow(clippy::as_conversions, clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

mod fields;
mod lines;
mod outcome;

use std::sync::LazyLock;

use ocr::Engine;
use pictures::Picture;
use specimens::Canvas;

fn engine() -> &'static Engine {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::load().unwrap());
    &ENGINE
}

fn picture(canvas: &Canvas) -> Picture {
    Picture::new(canvas.width, canvas.height, canvas.rgb.clone()).unwrap()
}

/// How many are asked for by whoever measures.
#[allow(clippy::disallowed_methods, reason = "tables are as long as the person who reads them wants")]
fn many(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|many| many.parse().ok()).unwrap_or(otherwise)
}
