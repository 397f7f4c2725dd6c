//! The zone of Russian passports for use inside the country: 9303's layout, but names stand in it in a code of their own, one
//! character for each Cyrillic letter, and the number of ten digits is cut in two.

use super::layout::Format;
use super::zone::Zone;

/// What stands for what is not the letter's own sound.
const LETTERS: &str = "А=A Б=B В=V Г=G Д=D Е=E Ё=2 Ж=J З=Z И=I Й=Q К=K Л=L М=M Н=N О=O П=P Р=R С=S Т=T У=U Ф=F Х=H Ц=C Ч=3 Ш=4 Щ=W \
Ъ=X Ы=Y Ь=9 Э=6 Ю=7 Я=8";

/// The zone with the names in Cyrillic and the number whole, if it is such a passport's.
pub(super) fn completed(mut zone: Zone) -> Zone {
    let russian = zone.issuer.is_some_and(|issuer| issuer.code() == "RUS");
    if zone.format != Format::Td3 || zone.document_code != "PN" || !russian {
        return zone;
    }
    for words in [&mut zone.names.primary, &mut zone.names.secondary] {
        words.iter_mut().for_each(|word| *word = word.chars().map(cyrillic).collect());
    }
    // three digits of the series and the number; the fourth one stands first in the optional data
    let fourth = zone.optional.first().and_then(|data| data.chars().next());
    if let (Some(fourth), Some((series, number))) = (fourth, zone.number.split_at_checked(3)) {
        zone.number = format!("{series}{fourth}{number}");
    }
    zone
}

/// The names' field of such a passport has digits, so none of them is taken for a letter.
pub(super) fn is_inside(first: impl IntoIterator<Item = char>) -> bool {
    first.into_iter().take(5).eq("PNRUS".chars())
}

fn cyrillic(read: char) -> char {
    let pairs = LETTERS.split(' ').filter_map(|pair| pair.split_once('='));
    let own = pairs.into_iter().find(|(_, code)| code.starts_with(read));
    own.and_then(|(letter, _)| letter.chars().next()).unwrap_or(read)
}
