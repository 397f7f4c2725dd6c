//! Chinese characters: the Mandarin reading of each, and for family names the other readings they have.

use super::romanise::{Romanised, general};
use crate::tables;

/// Family names of two characters.
const LONG_FAMILY_NAMES: [&str; 14] =
    ["欧阳", "歐陽", "司马", "司馬", "诸葛", "諸葛", "上官", "东方", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐"];

/// A word a character, except family names of two; Japanese names that the table knows in their Japanese reading.
pub(super) fn romanise(word: &str, starts_name: bool) -> Vec<Vec<Romanised>> {
    if let Some(words) = japanese(word, starts_name) {
        return words;
    }
    let mut words = Vec::new();
    let mut rest = word;
    if let Some(family) =
        LONG_FAMILY_NAMES.iter().find(|name| starts_name && rest.starts_with(*name) && rest.len() > name.len())
    {
        words.push(vec![Romanised::full(general(family))]);
        rest = rest.get(family.len()..).unwrap_or_default();
    }
    for character in rest.chars() {
        let mut readings: Vec<Romanised> = if starts_name && words.is_empty() {
            family_name(character).into_iter().map(Romanised::full).collect()
        } else {
            Vec::new()
        };
        readings.push(Romanised::full(general(&character.to_string())));
        words.push(readings);
    }
    words
}

/// Family names whose reading differs from that of the character elsewhere.
fn family_name(character: char) -> Option<&'static str> {
    match character {
        '曾' => Some("zeng"),
        '单' | '單' => Some("shan"),
        '解' => Some("xie"),
        '仇' => Some("qiu"),
        '区' | '區' => Some("ou"),
        '查' => Some("zha"),
        '盖' | '蓋' => Some("ge"),
        '朴' => Some("piao"),
        '翟' => Some("zhai"),
        '任' => Some("ren"),
        '乐' | '樂' => Some("yue"),
        _ => None,
    }
}

/// The word cut into Japanese names, if the table has all of it.
fn japanese(word: &str, starts_name: bool) -> Option<Vec<Vec<Romanised>>> {
    let whole = tables::japanese_readings(word);
    if !whole.is_empty() && word.chars().count() > 1 {
        return Some(vec![whole.iter().map(|reading| Romanised::full(*reading)).collect()]);
    }
    if !starts_name {
        return None;
    }
    word.char_indices().skip(1).find_map(|(cut, _)| {
        let (family, given) = word.split_at_checked(cut)?;
        let (family, given) = (tables::japanese_readings(family), tables::japanese_readings(given));
        let words = [family, given]
            .map(|readings| readings.iter().map(|reading| Romanised::full(*reading)).collect::<Vec<_>>());
        words.iter().all(|readings| !readings.is_empty()).then(|| words.into())
    })
}
