//! From a written name to comparable parts: scripts, sounds, skeletons, distances.

mod arabic;
pub(crate) mod distance;
mod hangul;
mod han;
pub(crate) mod parts;
mod romanise;
pub(crate) mod script;
pub(crate) mod sound;
mod words;
