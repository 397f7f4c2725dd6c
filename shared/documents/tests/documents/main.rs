//! Documents of invented persons, read whole.

mod build;
mod reading;
mod specimens;
