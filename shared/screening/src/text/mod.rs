//! From a written name to comparable parts: scripts, sounds, skeletons, distances.

mod arabic;
mod compounds;
pub(crate) mod distance;
mod han;
mod hangul;
pub(crate) mod parts;
mod romanise;
pub(crate) mod script;
pub(crate) mod sound;
pub(crate) mod words;
