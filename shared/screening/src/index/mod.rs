//! The index: everything that screening needs to know of the lists, in one run of bytes that is used where it lies.

mod build;
mod changes;
mod file;
pub(crate) mod keys;
pub(crate) mod layout;
pub(crate) mod partition;
mod partition_data;
mod rarity;
mod view;

pub use build::{ListInfo, build};
pub use changes::{Changes, EmptyList, Key, Standing};
pub use file::{Index, IndexError, edition};
pub(crate) use view::{Partition, Token};
