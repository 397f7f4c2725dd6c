//! A version of a list: its bytes, what they say, and what may be held against it.

use bytes::Bytes;
use domain::Timestamp;
use domain::kyc::rules::{ListCount, ListFormat, ListRule};
use screening::lists::format::Format;
use screening::lists::{Loaded, size};
use sha2::{Digest as _, Sha256};

/// So much of a hash names a version.
const HASH_CHARS: usize = 12;

/// A version of a list.
pub(super) struct Version {
    /// As its source gave it.
    pub(super) bytes: Bytes,
    /// What it says.
    pub(super) loaded: Loaded,
}

impl Version {
    /// Reads a list.
    ///
    /// # Errors
    /// It is empty, truncated, or not in the format of the rules.
    pub(super) fn read(list: &ListRule, bytes: Bytes) -> Result<Self, String> {
        let format = format(list.format);
        // an error page is no list, and neither is another list
        match Format::detect(&bytes) {
            Some(found) if found == format => {}
            Some(found) => return Err(format!("it is written as {found:?}, not as {}", list.format)),
            None => return Err(format!("it is not written as {}", list.format)),
        }
        let loaded = format.read(&list.code, &bytes).map_err(|error| error.to_string())?;
        Ok(Self { bytes, loaded })
    }

    /// Its entries.
    pub(super) fn entries(&self) -> u32 {
        u32::try_from(self.loaded.entities.len()).unwrap_or(u32::MAX)
    }

    fn count(&self) -> ListCount<'_> {
        ListCount { entries: self.entries(), published: self.loaded.published.as_deref() }
    }

    /// Why it is not to be taken over, beside the version that is used.
    pub(super) fn objection(&self, list: &ListRule, before: Option<&Self>, now: Timestamp) -> Option<String> {
        let objection = list.objection(before.map(Self::count), self.count(), now);
        objection.or_else(|| {
            // whole sources, kinds of party, aliases and dates can go while the number of entries hardly changes
            let allowed_percent = usize::try_from(list.shrinkage_max.div_ceil(10)).unwrap_or_default();
            let shrunk = size::check_all(&before?.loaded.entities, &self.loaded.entities, allowed_percent);
            shrunk.err().map(|(_, error)| error.to_string())
        })
    }

    /// Its date, or the day on which it was first seen, and its hash.
    pub(super) fn name(&self, now: Timestamp) -> String {
        let today = now.to_string();
        let day = self.loaded.published.clone().or_else(|| today.get(..10).map(str::to_owned)).unwrap_or_default();
        // it becomes a key: of a date that a list writes in its own way nothing odd gets there
        let day: String = day.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(20).collect();
        format!("{day}-{}", hash(&self.bytes))
    }
}

/// The beginning of the SHA-256 of bytes, in hexadecimal digits.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes)).chars().take(HASH_CHARS).collect()
}

/// Whether a list does not tell weak aliases from strong ones.
pub(super) fn is_ungraded(list: &ListRule) -> bool {
    !format(list.format).grades_aliases()
}

fn format(format: ListFormat) -> Format {
    match format {
        ListFormat::OfacXml => Format::OfacXml,
        ListFormat::OfacAdvanced => Format::OfacAdvanced,
        ListFormat::EuCsv => Format::EuCsv,
        ListFormat::EuXml => Format::EuXml,
        ListFormat::UnXml => Format::UnXml,
        ListFormat::UkShort => Format::UkShort,
        ListFormat::UkFull => Format::UkFull,
        ListFormat::UkXml => Format::UkXml,
        ListFormat::UkOfsi => Format::UkOfsi,
        ListFormat::UsCsl => Format::UsCsl,
        ListFormat::OpenSanctionsSimple => Format::OpenSanctionsSimple,
        ListFormat::OpenSanctionsFtm => Format::OpenSanctionsFtm,
        ListFormat::PepCongress => Format::PepCongress,
        ListFormat::PepHolders => Format::PepHolders,
        ListFormat::PepLeaders => Format::PepLeaders,
        ListFormat::Own => Format::Own,
    }
}
