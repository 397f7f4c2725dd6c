//! The crate's sample list.

use screening::lists::ofac_csv::{OfacFiles, read};
use screening::model::Entity;

/// Everybody on it.
pub fn sample() -> Vec<Entity> {
    let files = OfacFiles {
        list: "ofac_sdn",
        primary: include_bytes!("../../sample/sdn.csv"),
        aliases: Some(include_bytes!("../../sample/alt.csv")),
        addresses: Some(include_bytes!("../../sample/add.csv")),
        comments: None,
    };
    read(&files).unwrap().entities
}
