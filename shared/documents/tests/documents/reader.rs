//! A model of what readers do to characters, seeded: what it makes of a text is the same in every run. It is a model, not pictures.

use documents::{Glyph, Line, Place};

/// A generator of numbers that look random (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    pub fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next()).unwrap() % count
    }

    /// True so many times in ten thousand.
    pub fn chance(&mut self, rate: usize) -> bool {
        self.below(10_000) < rate
    }

    pub fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    fn between(&mut self, from: u16, to: u16) -> u16 {
        from + u16::try_from(self.below(usize::from(to - from))).unwrap()
    }
}

/// How often what happens, in ten thousand characters, lines or words.
#[derive(Clone, Copy)]
pub struct Level {
    pub name: &'static str,
    /// Any other character.
    wrong: usize,
    /// A twin of the character in the zone, with hardly a doubt: readers that know 37 characters do not tell them apart.
    twin: usize,
    /// A filler too many or too few at a run's end.
    filler: usize,
    /// A blank lost in the visual part.
    blank: usize,
    /// A line of the visual part not found.
    line: usize,
}

pub const LEVELS: [Level; 4] = [
    Level { name: "clear", wrong: 5, twin: 600, filler: 100, blank: 20, line: 20 },
    Level { name: "fair", wrong: 60, twin: 1200, filler: 300, blank: 100, line: 100 },
    Level { name: "poor", wrong: 250, twin: 2000, filler: 600, blank: 300, line: 300 },
    Level { name: "bad", wrong: 800, twin: 3000, filler: 1000, blank: 600, line: 600 },
];

/// What is taken for what, beside the twins.
const ALIKE: [&str; 22] = [
    "0ODQ", "1IL7T", "2Z7", "3B8", "4A", "5S6", "6G5", "7T1", "8B3S", "9G", "CGO<", "EFB", "HNM", "KX<R", "MNHW",
    "UVJ", "VYU", "WMV", "RPK", "FPE", "<KCLE", "YV",
];
const TWINS: [&str; 6] = ["0O", "1I", "2Z", "5S", "8B", "6G"];

/// As 9303 writes it.
pub fn in_zone(name: &str) -> Vec<String> {
    let letters = name.chars().map(|letter| match letter {
        'Ü' => "UE".to_owned(),
        'Ö' | 'Ø' => "OE".to_owned(),
        'Å' => "AA".to_owned(),
        'Ñ' => "N".to_owned(),
        'Á' | 'À' => "A".to_owned(),
        'Í' => "I".to_owned(),
        'Ó' => "O".to_owned(),
        'É' => "E".to_owned(),
        'Š' => "S".to_owned(),
        '\'' => String::new(),
        '-' => " ".to_owned(),
        letter => letter.to_string(),
    });
    letters.collect::<String>().split(' ').map(str::to_owned).collect()
}

/// What the reader makes of a character.
fn seen(dice: &mut Dice, level: Level, letter: char, in_zone: bool) -> Glyph {
    let twins = if in_zone { level.twin } else { level.twin / 20 };
    if let Some(pair) = TWINS.iter().find(|pair| pair.contains(letter))
        && dice.chance(twins)
    {
        let twin = pair.replace(letter, "").chars().next().unwrap();
        let sure = dice.between(600, 1000);
        return Glyph { read: twin, sure, runner_up: dice.chance(3000).then(|| (letter, 1000 - sure)) };
    }
    if dice.chance(level.wrong) {
        let alike: Vec<char> =
            ALIKE.iter().find(|set| set.starts_with(letter)).map(|set| set[1..].chars().collect()).unwrap_or_default();
        let any = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".chars().nth(dice.below(36)).unwrap();
        let read = if alike.is_empty() || dice.chance(2000) { any } else { alike[dice.below(alike.len())] };
        let sure = if dice.chance(1500) { dice.between(850, 995) } else { dice.between(300, 850) };
        let second = if dice.chance(7000) { letter } else { any };
        return Glyph { read, sure, runner_up: Some((second, 1000 - sure)) };
    }
    let sure = if dice.chance(level.wrong * 4) { dice.between(450, 950) } else { dice.between(950, 1000) };
    Glyph { read: letter, sure, runner_up: dice.chance(300).then(|| ('X', 1000 - sure)) }
}

fn zone_line(dice: &mut Dice, level: Level, row: &str) -> Vec<Glyph> {
    let mut glyphs = vec![];
    let letters: Vec<char> = row.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let run_ends = *letter == '<' && letters.get(at + 1) != Some(&'<');
        if run_ends && dice.chance(level.filler) {
            match dice.below(3) {
                0 => glyphs.extend([seen(dice, level, '<', true), seen(dice, level, '<', true)]),
                1 => {}
                _ => {
                    glyphs.pop();
                }
            }
            continue;
        }
        glyphs.push(seen(dice, level, *letter, true));
    }
    glyphs
}

fn visual_line(dice: &mut Dice, level: Level, text: &str) -> Vec<Glyph> {
    let mut glyphs = vec![];
    for letter in text.chars() {
        if letter == ' ' && dice.chance(level.blank) {
            continue;
        }
        // dots and accents are small
        let bare = match letter {
            'Ü' if dice.chance(level.wrong * 3) => 'U',
            'Ö' | 'Ø' if dice.chance(level.wrong * 3) => 'O',
            letter => letter,
        };
        glyphs.push(if bare == ' ' {
            Glyph { read: ' ', sure: 990, runner_up: None }
        } else {
            seen(dice, level, bare, false)
        });
    }
    glyphs
}

/// The lines of a document as the reader hands them over: what people read above, the zone below.
pub fn lines(dice: &mut Dice, level: Level, visual: &[String], zone: &[String]) -> Vec<Line> {
    let mut lines = vec![];
    let place = |row: usize, count: usize| Place {
        left: 40,
        top: 40 + i32::try_from(row).unwrap() * 40,
        width: i32::try_from(count).unwrap() * 16,
        height: 28,
    };
    for (row, text) in visual.iter().enumerate() {
        let glyphs = visual_line(dice, level, text);
        if !dice.chance(level.line) {
            lines.push(Line { place: place(row, glyphs.len()), glyphs, zone_glyphs: None });
        }
    }
    for (row, text) in zone.iter().enumerate() {
        let glyphs = zone_line(dice, level, text);
        lines.push(Line { place: place(row + 20, glyphs.len()), zone_glyphs: Some(glyphs.clone()), glyphs });
    }
    lines
}
