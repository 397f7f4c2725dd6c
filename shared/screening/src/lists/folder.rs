//! Lists as they lie in a folder: which files belong together, which are older versions, which are none.
//!
//! A list that should be there and is not would clear its parties without a word, so what looks like a list and is none is an error.

use std::collections::{BTreeMap, BTreeSet};

use crc32fast::Hasher;

use super::format::Format;
use super::ofac_csv::{self, OfacFiles};
use super::rows::{ends_in_control_z, trimmed};
use super::weak::folded;
use super::{Fault, ListError, Loaded, pep_csv, size, weak};
use crate::index::ListInfo;
use crate::model::Entity;

/// All lists of a folder.
#[derive(Debug, Default)]
pub struct Folder {
    /// The lists that were found.
    pub lists: Vec<ListInfo>,
    /// Their entries.
    pub entities: Vec<Entity>,
    /// What could not be read: (list code, fault).
    pub faults: Vec<(String, Fault)>,
    /// What was not taken, and why, in words.
    pub notes: Vec<String>,
}

/// Why a folder gives no lists.
#[derive(Debug, thiserror::Error)]
pub enum FolderError<E: std::error::Error + 'static> {
    /// A file could not be read.
    #[error("cannot read {0}")]
    Read(String, #[source] E),
    /// A list cannot be trusted.
    #[error("list {0}")]
    List(String, #[source] ListError),
    /// A file without which another one is not the list.
    #[error("{missing} is missing beside {beside}")]
    Missing {
        /// The file that should be there.
        missing: &'static str,
        /// The file that asks for it.
        beside: String,
    },
    /// Two files that are the same but for capitals.
    #[error("{0} and {1} are one file of the list in two versions")]
    Twice(String, String),
    /// A file that looks like a list by its name and is none by its content.
    #[error("{0} is no list that the engine knows: take it away or ignore it by name")]
    Unknown(String),
    /// There is no list that the engine knows.
    #[error("no list in the folder that the engine knows")]
    None,
}

/// The files of one of OFAC's lists.
struct OfacSet {
    code: &'static str,
    primary: &'static str,
    aliases: &'static str,
    addresses: &'static str,
    comments: &'static str,
}

const OFAC_SETS: [OfacSet; 2] = [
    OfacSet {
        code: "ofac_sdn",
        primary: "sdn.csv",
        aliases: "alt.csv",
        addresses: "add.csv",
        comments: "sdn_comments.csv",
    },
    OfacSet {
        code: "ofac_cons",
        primary: "cons_prim.csv",
        aliases: "cons_alt.csv",
        addresses: "cons_add.csv",
        comments: "cons_comments.csv",
    },
];

/// Endings of files that are lists unless they are known to be something else.
const LIST_ENDINGS: [&str; 6] = ["csv", "tsv", "xml", "json", "jsonl", "ndjson"];

/// Beginnings of files that are no lists: clients, hits and labelled cases of this engine.
const CLIENTS: [&[u8]; 2] = [b"query_id,", b"{\"query_id\""];

/// Loads every list among the files but the ignored ones; `read` gives the bytes of one.
///
/// # Errors
/// A file cannot be read, a list cannot be trusted or is not complete, a file looks like a list and is none, or there is no list.
pub fn load<E: std::error::Error + 'static>(
    names: &[String],
    ignored: &[String],
    mut read: impl FnMut(&str) -> Result<Vec<u8>, E>,
) -> Result<Folder, FolderError<E>> {
    let mut get = |name: &str| read(name).map_err(|error| FolderError::Read(name.to_owned(), error));
    let mut loading = Loading::default();
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.retain(|name| {
        let wanted = !ignored.iter().any(|other| other == name);
        if !wanted {
            loading.notes.push(format!("{name}: ignored as asked"));
        }
        wanted
    });
    for set in &OFAC_SETS {
        loading.ofac(set, &mut names, &mut get)?;
    }
    let (mut singles, mut facts) = (Vec::new(), Vec::new());
    for name in names {
        let bytes = get(name)?;
        match Format::detect(&bytes) {
            Some(format) => singles.push(Single::read(name, format, &bytes)?),
            None if pep_csv::is_facts(&bytes) => facts.push((name, bytes)),
            None => loading.no_list(name, &bytes)?,
        }
    }
    // of the versions and layouts of a list the first is taken: the latest, the one that says most
    singles.sort_by(|a, b| b.rank().cmp(&a.rank()).then(a.name.cmp(b.name)));
    for single in singles {
        loading.single(single);
    }
    for (name, bytes) in facts {
        loading.facts(name, &bytes)?;
    }
    loading.finish()
}

/// Refuses lists that lost too much since another version of the folder, as a whole or of one source or kind: see [`size::check_all`].
///
/// # Errors
/// The code of a list, and [`ListError::Shrunk`].
pub fn check_sizes(before: &Folder, now: &Folder, allowed_percent: usize) -> Result<(), (String, ListError)> {
    size::check_all(&before.entities, &now.entities, allowed_percent)
}

/// A list that is one file.
struct Single<'n> {
    name: &'n str,
    format: Format,
    loaded: Loaded,
    version: Hasher,
}

impl<'n> Single<'n> {
    fn read<E: std::error::Error + 'static>(
        name: &'n str,
        format: Format,
        bytes: &[u8],
    ) -> Result<Self, FolderError<E>> {
        let loaded = format.read(format.code(), bytes).map_err(|error| FolderError::List(name.to_owned(), error))?;
        Ok(Self { name, format, loaded, version: version([Some(bytes)]) })
    }

    /// The later one first; of one day the layout that says more.
    fn rank(&self) -> (Option<&str>, bool) {
        let says_more = matches!(self.format, Format::EuXml | Format::OfacAdvanced | Format::UkFull);
        (self.loaded.published.as_deref(), says_more)
    }
}

/// One checksum over all files of a list.
fn version<'b>(files: impl IntoIterator<Item = Option<&'b [u8]>>) -> Hasher {
    let mut version = Hasher::new();
    for file in files {
        add_to_version(&mut version, file.unwrap_or_default());
    }
    version
}

fn add_to_version(version: &mut Hasher, file: &[u8]) {
    version.update(file);
    version.update(&file.len().to_le_bytes());
}

/// A folder on its way.
#[derive(Default)]
struct Loading {
    folder: Folder,
    notes: Vec<String>,
    /// Of each list: when it was published, and the checksum of what it was made of.
    versions: Vec<(Option<String>, Hasher)>,
    /// The lists that do not tell weak aliases from strong ones.
    ungraded: BTreeSet<String>,
}

impl Loading {
    fn ofac<E: std::error::Error + 'static>(
        &mut self,
        set: &OfacSet,
        names: &mut Vec<&str>,
        get: &mut impl FnMut(&str) -> Result<Vec<u8>, FolderError<E>>,
    ) -> Result<(), FolderError<E>> {
        let [primary, aliases, addresses, comments] = set.files().map(|file| take(names, file));
        let (primary, aliases, addresses, comments) = (primary?, aliases?, addresses?, comments?);
        let dated: Vec<&str> = names.iter().copied().filter(|name| is_dated(name, set.primary)).collect();
        names.retain(|name| !dated.contains(name));
        let Some(primary) = primary else {
            let orphan = [aliases, addresses, comments].into_iter().flatten().chain(dated).next();
            return orphan.map_or(Ok(()), |orphan| {
                Err(FolderError::Missing { missing: set.primary, beside: orphan.to_owned() })
            });
        };
        let Some(aliases) = aliases else {
            return Err(FolderError::Missing { missing: set.aliases, beside: primary.to_owned() });
        };
        if addresses.is_none() {
            self.notes.push(format!("{}: missing, countries of residence are not known", set.addresses));
        }
        self.notes.extend(dated.iter().map(|name| format!("{name}: another version of {}, ignored", set.primary)));
        let (primary, aliases) = (get(primary)?, get(aliases)?);
        let addresses = addresses.map(&mut *get).transpose()?;
        let comments = comments.map(&mut *get).transpose()?;
        if !ends_in_control_z(&primary) {
            self.notes.push(format!("{}: does not end in 0x1A as OFAC's files do: is it complete?", set.primary));
        }
        let files = OfacFiles {
            list: set.code,
            primary: &primary,
            aliases: Some(&aliases),
            addresses: addresses.as_deref(),
            comments: comments.as_deref(),
        };
        let loaded = ofac_csv::read(&files).map_err(|error| FolderError::List(set.code.to_owned(), error))?;
        let version = version([Some(files.primary), files.aliases, files.addresses, files.comments]);
        self.take(set.code, loaded, version);
        Ok(())
    }

    /// A file that is no list: an error if it looks like one.
    fn no_list<E: std::error::Error + 'static>(&mut self, name: &str, bytes: &[u8]) -> Result<(), FolderError<E>> {
        let content = trimmed(bytes);
        if CLIENTS.iter().any(|start| content.starts_with(start)) {
            self.notes.push(format!("{name}: clients, not a list, ignored"));
            return Ok(());
        }
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        if !LIST_ENDINGS.contains(&ending.as_str()) {
            self.notes.push(format!("{name}: not a list that the engine knows, ignored"));
            return Ok(());
        }
        Err(if content.is_empty() {
            FolderError::List(name.to_owned(), ListError::Empty("the file"))
        } else {
            FolderError::Unknown(name.to_owned())
        })
    }

    /// The same list in a second layout or version is not loaded twice.
    fn single(&mut self, mut single: Single<'_>) {
        let family = family(single.format.code());
        let known: BTreeMap<&str, &Entity> = self
            .folder
            .entities
            .iter()
            .filter(|entity| entity.list.starts_with(family))
            .map(|entity| (entity.id.as_str(), entity))
            .collect();
        let own = &single.loaded.entities;
        let again = own
            .iter()
            .filter(|entity| known.get(entity.id.as_str()).is_some_and(|known| shares_name(known, entity)))
            .count();
        if again * 2 > own.len() {
            self.notes.push(format!(
                "{}: a list that is already loaded in another layout or version, ignored; of its {} entries the other has {again}",
                single.name,
                own.len()
            ));
            return;
        }
        let mut code = single.format.code().to_owned();
        if self.folder.lists.iter().any(|list| list.code == code) {
            code = format!("{code}:{}", single.name);
            for entity in &mut single.loaded.entities {
                entity.list.clone_from(&code);
            }
        }
        if !single.format.grades_aliases() {
            self.ungraded.insert(code.clone());
        }
        self.take(&code, single.loaded, single.version);
    }

    fn take(&mut self, code: &str, loaded: Loaded, version: Hasher) {
        self.folder.lists.push(ListInfo { code: code.to_owned(), version: String::new() });
        self.versions.push((loaded.published, version));
        self.folder.entities.extend(loaded.entities);
        self.folder.faults.extend(loaded.faults.into_iter().map(|fault| (code.to_owned(), fault)));
    }

    /// What the facts are added to is another version with other facts.
    fn facts<E: std::error::Error + 'static>(&mut self, name: &str, bytes: &[u8]) -> Result<(), FolderError<E>> {
        let facts = pep_csv::add_facts(&mut self.folder.entities, bytes)
            .map_err(|error| FolderError::List(name.to_owned(), error))?;
        self.folder.faults.extend(facts.faults.into_iter().map(|fault| (name.to_owned(), fault)));
        let exposed = |list: &ListInfo| list.code.starts_with("pep_");
        for (_, (_, version)) in self.folder.lists.iter().zip(&mut self.versions).filter(|(list, _)| exposed(list)) {
            add_to_version(version, bytes);
        }
        Ok(())
    }

    fn finish<E: std::error::Error + 'static>(mut self) -> Result<Folder, FolderError<E>> {
        if self.folder.lists.is_empty() {
            return Err(FolderError::None);
        }
        weak::spread(&mut self.folder.entities, |entity| self.ungraded.contains(&entity.list));
        for (list, (published, version)) in self.folder.lists.iter_mut().zip(self.versions) {
            let date = published.map(|date| format!("{date}-")).unwrap_or_default();
            list.version = format!("{date}{:08x}", version.finalize());
        }
        self.folder.notes = self.notes;
        Ok(self.folder)
    }
}

impl OfacSet {
    fn files(&self) -> [&'static str; 4] {
        [self.primary, self.aliases, self.addresses, self.comments]
    }
}

/// Takes the file out of the names, however its capitals are.
fn take<'n, E: std::error::Error + 'static>(
    names: &mut Vec<&'n str>,
    file: &str,
) -> Result<Option<&'n str>, FolderError<E>> {
    let is_it = |name: &str| name.eq_ignore_ascii_case(file);
    let found: Vec<&str> = names.iter().copied().filter(|name| is_it(name)).collect();
    names.retain(|name| !is_it(name));
    match found.as_slice() {
        [one, other, ..] => Err(FolderError::Twice((*one).to_owned(), (*other).to_owned())),
        found => Ok(found.first().copied()),
    }
}

/// `sdn-2024-05-02.csv` is `sdn.csv` of another day.
fn is_dated(name: &str, of: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (Some((stem, ending)), Some((of_stem, of_ending))) = (name.rsplit_once('.'), of.rsplit_once('.')) else {
        return false;
    };
    ending == of_ending
        && stem
            .strip_prefix(of_stem)
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|date| date.starts_with(|c: char| c.is_ascii_digit()))
}

/// Lists that may be the same begin with this: OFAC's numbers are the same in all its layouts.
fn family(code: &'static str) -> &'static str {
    if code.starts_with("ofac") { "ofac" } else { code }
}

/// Numbers alone prove nothing: two lists of one's own both begin at 1.
fn shares_name(one: &Entity, other: &Entity) -> bool {
    let folded = |entity: &Entity| entity.names.iter().map(|name| folded(&name.text)).collect::<BTreeSet<_>>();
    !folded(one).is_disjoint(&folded(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = ",\"PETROV, Ivan\",\"individual\",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n\x1A";
    const UN: &str = include_str!("../../tests/samples/un.xml");

    fn load(files: &[(&str, &str)], ignored: &[&str]) -> Result<Folder, String> {
        let names: Vec<String> = files.iter().map(|(name, _)| (*name).to_owned()).collect();
        let ignored: Vec<String> = ignored.iter().map(|name| (*name).to_owned()).collect();
        let read = |name: &str| {
            let file = files.iter().find(|(own, _)| *own == name);
            Ok::<_, std::io::Error>(file.unwrap().1.as_bytes().to_vec())
        };
        super::load(&names, &ignored, read).map_err(|error| match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        })
    }

    fn sdn() -> String {
        format!("1{ROW}")
    }

    const ALT: &str = "1,10,\"aka\",\"PETROFF, Ivan\",-0- \r\n\x1A";

    #[test]
    fn ofacs_files_are_known_whatever_their_capitals() {
        let folder = load(&[("SDN.CSV", &sdn()), ("Alt.csv", ALT), ("README.md", "# lists")], &[]).unwrap();
        assert_eq!(folder.entities[0].names.len(), 2);
        assert_eq!(folder.notes.len(), 2, "{:?}", folder.notes);
        assert!(load(&[("SDN.CSV", &sdn()), ("sdn.csv", &sdn()), ("alt.csv", ALT)], &[]).is_err());
    }

    #[test]
    fn a_list_that_is_not_there_is_not_passed_over() {
        for (files, reason) in [
            (vec![("sdn.csv", sdn())], "alt.csv is missing"),
            (vec![("alt.csv", ALT.to_owned()), ("un.xml", UN.to_owned())], "sdn.csv is missing"),
            (vec![("sdn-2024-05-02.csv", sdn()), ("un.xml", UN.to_owned())], "sdn.csv is missing"),
            (vec![("un.xml", UN.to_owned()), ("eu.csv", String::new())], "empty"),
            (vec![("un.xml", UN.to_owned()), ("eu.xml", "<html>".to_owned())], "no list that"),
            (vec![("own.csv", "id,name,aliases\n".to_owned())], "empty"),
        ] {
            let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
            let error = load(&files, &[]).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        assert!(load(&[("un.xml", UN), ("eu.csv", ""), ("queries.csv", "query_id,name\n")], &["eu.csv"]).is_ok());
    }

    #[test]
    fn a_list_in_several_layouts_and_versions_is_loaded_once_and_in_the_latest() {
        let later = UN.replacen("dateGenerated=\"20", "dateGenerated=\"21", 1);
        assert_ne!(later, UN);
        let folder = load(
            &[
                ("eu_0.csv", include_str!("../../tests/samples/eu_1_0.csv")),
                ("eu_1.csv", include_str!("../../tests/samples/eu_1_1.csv")),
                ("eu_1.xml", include_str!("../../tests/samples/eu_1_1.xml")),
                ("un.xml", UN),
                ("un_later.xml", &later),
            ],
            &[],
        )
        .unwrap();
        assert_eq!(folder.lists.iter().map(|list| list.code.as_str()).collect::<Vec<_>>(), ["un_sc", "eu_fsf"]);
        assert!(folder.lists[0].version.starts_with("21"), "{:?}", folder.lists);
        assert_eq!(folder.notes.len(), 3, "{:?}", folder.notes);
        let own = ["id,name,aliases\n1,Ann Sample,\n", "id,name,aliases\n1,Bob Other,\n"];
        assert_eq!(load(&[("a.csv", own[0]), ("b.csv", own[1])], &[]).unwrap().entities.len(), 2);
    }

    #[test]
    fn the_version_is_one_of_all_files() {
        let version = |alt: &str| load(&[("sdn.csv", &sdn()), ("alt.csv", alt)], &[]).unwrap().lists[0].version.clone();
        assert_ne!(version(ALT), version(&ALT.replace("PETROFF", "PETROW")));
    }

    #[test]
    fn lists_that_shrank_or_went_away_are_refused() {
        let two = format!("1{}\n2{ROW}", ROW.trim_end_matches('\x1A').trim_end());
        let before = load(&[("sdn.csv", &two), ("alt.csv", ALT), ("un.xml", UN)], &[]).unwrap();
        let now = load(&[("sdn.csv", &sdn()), ("alt.csv", ALT), ("un.xml", UN)], &[]).unwrap();
        assert_eq!(check_sizes(&before, &now, 0).unwrap_err().0, "ofac_sdn");
        assert!(check_sizes(&now, &before, 10).is_ok() && check_sizes(&before, &now, 50).is_ok());
        let gone = load(&[("sdn.csv", &two), ("alt.csv", ALT)], &[]).unwrap();
        assert_eq!(check_sizes(&before, &gone, 10).unwrap_err().0, "un_sc");
    }

    #[test]
    fn a_weak_alias_is_not_made_strong_by_the_list_that_repeats_it() {
        let sdn = sdn().replacen("-0- \r\n\x1A", "\"DOB 1970; a.k.a. 'SAMPLE, Vanya'.\"\r\n\x1A", 1);
        let copy = "_id,source,type,name,alt_names\n1,Specially Designated Nationals (SDN),Individual,\"PETROV, Ivan\",\"PETROFF, Ivan; SAMPLE, Vanya\"\n";
        let folder = load(&[("sdn.csv", &sdn), ("alt.csv", ALT), ("csl.csv", copy)], &[]).unwrap();
        let kinds = |list: &str| {
            let entity = folder.entities.iter().find(|entity| entity.list == list).unwrap();
            entity.names.iter().map(|name| (name.text.clone(), name.kind)).collect::<BTreeMap<_, _>>()
        };
        use crate::model::NameKind::{Primary, Strong, Weak};
        let expected = [("PETROFF, Ivan", Strong), ("PETROV, Ivan", Primary), ("SAMPLE, Vanya", Weak)];
        let expected: BTreeMap<_, _> = expected.iter().map(|(text, kind)| ((*text).to_owned(), *kind)).collect();
        assert_eq!((kinds("ofac_sdn"), kinds("us_csl")), (expected.clone(), expected));
    }

    #[test]
    fn a_list_without_one_of_its_sources_is_refused() {
        let row = |id: usize, source: &str| format!("{id},{source},Individual,\"PETROV, Ivan\",\n");
        let header = "_id,source,type,name,alt_names\n";
        let large: String = (10..60).map(|id| row(id, "Large List (LL)")).collect();
        let whole = format!("{header}{large}{}{}", row(1, "Small List (SL)"), row(2, "Small List (SL)"));
        let before = load(&[("csl.csv", &whole)], &[]).unwrap();
        let now = load(&[("csl.csv", &format!("{header}{large}"))], &[]).unwrap();
        let (list, error) = check_sizes(&before, &now, 10).unwrap_err();
        assert_eq!((list.as_str(), error.to_string().contains("Small List (SL)")), ("us_csl", true), "{error}");
        assert!(check_sizes(&before, &before, 0).is_ok() && check_sizes(&before, &now, 100).is_ok());
    }

    #[test]
    fn the_uks_list_is_loaded_once_and_in_full() {
        let full = include_str!("../../tests/samples/uk_full.csv");
        let folder = load(
            &[
                ("a_short.csv", include_str!("../../tests/samples/uk_short.csv")),
                ("uk.csv", full),
                ("uk.xml", include_str!("../../tests/samples/uk_full.xml")),
            ],
            &[],
        )
        .unwrap();
        assert_eq!(folder.lists.iter().map(|list| list.code.as_str()).collect::<Vec<_>>(), ["uk_sl"]);
        assert!(folder.lists[0].version.starts_with("2026-09-21"), "{:?}", folder.lists);
        assert_eq!(folder.entities[0].names.len(), 6);
        assert_eq!(folder.notes.len(), 2, "{:?}", folder.notes);
    }
}
