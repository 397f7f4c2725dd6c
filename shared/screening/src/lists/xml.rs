//! XML lists, one record at a time: a list of a hundred megabytes takes the memory of its longest entry.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::rows::trimmed;
use super::{Fault, ListError};

/// Elements inside each other; no list comes near.
const DEPTH_MAX: usize = 64;

/// An element with all that is in it. Names are local: lists change their namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    /// The first child of the name.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children of the name.
    pub fn all<'n>(&'n self, name: &str) -> impl Iterator<Item = &'n Node> + use<'n> {
        let name = name.to_owned();
        self.children.iter().filter(move |child| child.name == name)
    }

    /// All elements of the name at the end of a path of children.
    pub fn at(&self, path: &[&str]) -> Vec<&Node> {
        path.iter().fold(vec![self], |nodes, name| nodes.into_iter().flat_map(|node| node.all(name)).collect())
    }

    /// The text of the first child of the name, unless it is blank.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// An attribute, unless it is blank.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }
}

/// What is read: the root's names that are right, and the elements that are records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape<'s> {
    pub part: &'static str,
    pub roots: &'s [&'s str],
    pub records: &'s [&'s str],
}

/// Calls `each` with the root's start (no children) and then with every record and its line. Returns which records have a text or an
/// attribute that could not be read as it is.
pub(super) fn records(
    shape: Shape<'_>,
    bytes: &[u8],
    mut each: impl FnMut(u64, Node),
) -> Result<Vec<Fault>, ListError> {
    let bytes = trimmed(bytes);
    if bytes.is_empty() {
        return Err(ListError::Empty(shape.part));
    }
    let mut lines = Lines { bytes, seen: 0, line: 1 };
    let mut reader = Reader::from_reader(bytes);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Node> = Vec::new();
    let mut depth = 0_usize;
    let mut damage = Damage::default();
    loop {
        let event = reader.read_event().map_err(|error| broken(shape.part, &error, &open, depth))?;
        match event {
            Event::Start(start) => {
                let node = element(&start, &mut damage);
                if depth == 0 {
                    check_root(shape, &node)?;
                    each(1, node);
                } else if !open.is_empty() || shape.records.contains(&node.name.as_str()) {
                    open.push(node);
                }
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(ListError::Format {
                        part: shape.part,
                        reason: format!("more than {DEPTH_MAX} elements inside each other"),
                    });
                }
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if let Some(node) = open.pop() {
                    match open.last_mut() {
                        Some(parent) => parent.children.push(node),
                        None => {
                            let line = lines.at(reader.buffer_position());
                            damage.settle(shape.part, line);
                            each(line, node);
                        }
                    }
                }
            }
            Event::Text(text) => append(&mut open, &damage.text(&text)),
            Event::CData(text) => append(&mut open, &damage.text(&text)),
            Event::GeneralRef(reference) => append(&mut open, &resolved(&reference, &mut damage)),
            Event::Eof if depth > 0 => {
                return Err(ListError::Truncated { part: shape.part, reason: "it ends inside an element".to_owned() });
            }
            Event::Eof => return Ok(damage.faults),
            _ => {}
        }
    }
}

/// An error of form at the very end is a truncation.
fn broken(part: &'static str, error: &quick_xml::Error, open: &[Node], depth: usize) -> ListError {
    let reason = error.to_string();
    match error {
        quick_xml::Error::Syntax(_) if depth > 0 || !open.is_empty() => ListError::Truncated { part, reason },
        _ => ListError::Format { part, reason },
    }
}

fn check_root(shape: Shape<'_>, root: &Node) -> Result<(), ListError> {
    if shape.roots.contains(&root.name.as_str()) {
        return Ok(());
    }
    Err(ListError::Format {
        part: shape.part,
        reason: format!("its root is <{}>", root.name.chars().take(40).collect::<String>()),
    })
}

fn element(start: &BytesStart<'_>, damage: &mut Damage) -> Node {
    let mut node = Node { name: damage.text(start.local_name().as_ref()), ..Node::default() };
    for attribute in start.attributes() {
        let Ok(attribute) = attribute else {
            damage.note("a malformed attribute");
            continue;
        };
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_or_else(|_| damage.text(&attribute.value), std::borrow::Cow::into_owned);
        node.attributes.push((damage.text(attribute.key.local_name().as_ref()), value));
    }
    node
}

/// What of a record could not be read as it is.
#[derive(Default)]
struct Damage {
    now: Option<&'static str>,
    faults: Vec<Fault>,
}

impl Damage {
    fn note(&mut self, reason: &'static str) {
        self.now = Some(reason);
    }

    /// A text; what of it is not UTF-8 is replaced and the rest stays: a name with a wrong byte is still a name.
    fn text(&mut self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.note("a text that is not UTF-8");
        }
        text.into_owned()
    }

    /// The record is over.
    fn settle(&mut self, part: &'static str, line: u64) {
        if let Some(reason) = self.now.take() {
            self.faults.push(Fault { part, line, reason: reason.to_owned() });
        }
    }
}

fn append(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

/// `&amp;` and its like.
fn resolved(reference: &BytesRef<'_>, damage: &mut Damage) -> String {
    if let Ok(Some(letter)) = reference.resolve_char_ref() {
        return letter.to_string();
    }
    let known = reference.decode().ok().and_then(|name| resolve_predefined_entity(&name).map(str::to_owned));
    known.unwrap_or_else(|| {
        damage.note("an entity that is not known");
        String::new()
    })
}

/// Line numbers of rising positions.
struct Lines<'b> {
    bytes: &'b [u8],
    seen: usize,
    line: u64,
}

impl Lines<'_> {
    fn at(&mut self, position: u64) -> u64 {
        let position = usize::try_from(position).unwrap_or(usize::MAX);
        let passed = self.bytes.get(self.seen..position).unwrap_or_default();
        for _ in passed.iter().filter(|byte| **byte == b'\n') {
            self.line += 1;
        }
        self.seen = self.seen.max(position);
        self.line
    }
}
