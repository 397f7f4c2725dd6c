//! Names in any writing brought to the letters A to Z, in every way that documents do it.

/// Ways to write one word that are looked at.
const FORMS_MAX: usize = 48;

/// Letters of one word that are looked at.
const LETTERS_MAX: usize = 64;

/// Letters that 9303 (part 3, section 6) writes in more than one way, or not as their bare letter; Cyrillic ones with the ways of
/// older passports.
const LETTERS: &str = "Ä=A,AE Å=A,AA Æ=AE Ö=O,OE Ø=O,OE Œ=OE Ü=U,UE,UXX Ñ=N,NXX ẞ=SS Þ=TH Ð=D Đ=D,DJ Ĳ=IJ Ł=L Ħ=H I=I İ=I Ə=E Ŋ=N \
А=A Б=B В=V Г=G,H Ґ=G Д=D Е=E,IE,YE Ё=E,IO,YO Є=IE,YE Ж=ZH,J Ѕ=DZ З=Z И=I,Y І=I Ї=I,YI Й=I,Y,J К=K Л=L М=M Н=N О=O П=P Р=R \
С=S Т=T У=U Ў=U Ф=F Х=KH,H,X Ц=TS,C Ч=CH Ш=SH Щ=SHCH,SHT Ъ=IE,,A Ы=Y Ь= Э=E Ю=IU,YU,JU Я=IA,YA,JA";

/// A word in capitals A to Z and digits, in every way that its letters are written in; marks within it are left out. The first
/// form is the plainest.
pub(crate) fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![String::new()];
    for letter in word.chars().take(LETTERS_MAX) {
        let ways = ways(letter);
        let grown = forms.iter().flat_map(|form| ways.iter().map(move |way| format!("{form}{way}")));
        forms = grown.take(FORMS_MAX).collect();
    }
    forms.sort_by_key(String::len);
    forms.dedup();
    forms
}

/// The plainest form.
pub(crate) fn plain(word: &str) -> String {
    forms(word).into_iter().next().unwrap_or_default()
}

fn ways(letter: char) -> Vec<String> {
    if letter.is_ascii() {
        let kept = letter.is_ascii_alphanumeric().then(|| letter.to_ascii_uppercase());
        return vec![kept.into_iter().collect()];
    }
    // marks, and the raised letters of "1º" and "Nº"
    if !letter.is_alphanumeric() || matches!(letter, 'º' | 'ª') {
        return vec![String::new()];
    }
    // "ß" alone has two capitals, of which the table has one
    let capital: String = if letter == 'ß' { "ẞ".to_owned() } else { letter.to_uppercase().collect() };
    let listed = LETTERS.split(' ').filter_map(|entry| entry.split_once('=')).find(|(known, _)| *known == capital);
    match listed {
        Some((_, ways)) => ways.split(',').map(str::to_owned).collect(),
        None => vec![bare(&any_ascii::any_ascii(&capital))],
    }
}

fn bare(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Whether all letters are Latin ones: only those are compared letter by letter.
pub(crate) fn is_latin(text: &str) -> bool {
    text.chars()
        .filter(|letter| letter.is_alphabetic())
        .all(|letter| matches!(u32::from(letter), 0x41..=0x24f | 0x1e00..=0x1eff))
}

/// Spellings of one sound made one: what two transcriptions of a name have in common.
pub(crate) fn loose(form: &str) -> String {
    let mut text = form.to_owned();
    for (from, to) in [
        ("IY", "I"),
        ("YI", "I"),
        ("II", "I"),
        ("IJ", "I"),
        ("SHCH", "SC"),
        ("SCH", "S"),
        ("TCH", "C"),
        ("SH", "S"),
        ("CH", "C"),
        ("KH", "H"),
        ("ZH", "J"),
        ("PH", "F"),
        ("TH", "T"),
        ("TS", "C"),
        ("CK", "K"),
        ("QU", "K"),
        ("OU", "U"),
        ("AE", "A"),
        ("OE", "O"),
        ("UE", "U"),
        ("AA", "A"),
        ("EE", "I"),
        ("IE", "E"),
        ("YE", "E"),
        ("IA", "A"),
        ("YA", "A"),
        ("JA", "A"),
        ("IU", "U"),
        ("YU", "U"),
        ("JU", "U"),
        ("IO", "E"),
        ("YO", "E"),
        ("UXX", "U"),
        ("NXX", "N"),
        ("DJ", "J"),
    ] {
        text = text.replace(from, to);
    }
    let mut last = ' ';
    let letters = text.chars().map(|letter| match letter {
        'Y' => 'I',
        'W' => 'V',
        'Q' => 'K',
        letter => letter,
    });
    letters.filter(|letter| std::mem::replace(&mut last, *letter) != *letter).collect()
}
