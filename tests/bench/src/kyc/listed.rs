//! A sanctions list of invented persons, as long as wanted.

use std::fmt::Write as _;

use specimens::Random;

/// Somebody on it.
pub const NAME: &str = "Ivan Sergeyevich Petrov";
/// When that person was born.
pub const BORN: &str = "1968-03-18";

const SYLLABLES: [&str; 24] = [
    "ba", "cor", "den", "el", "far", "gu", "hin", "ja", "kar", "lo", "mi", "nor", "os", "pa", "rud", "sa", "tor", "ul",
    "va", "wen", "ya", "zi", "bre", "quin",
];

fn word(random: &mut Random, syllables: u64) -> String {
    (0..syllables).filter_map(|_| random.one_of(&SYLLABLES)).collect()
}

/// The list in OFAC's XML, with so many persons.
pub fn ofac(persons: usize) -> String {
    let mut random = Random::new(persons.try_into().unwrap_or_default());
    let mut text = format!(
        "<?xml version=\"1.0\" standalone=\"yes\"?>\n<sdnList xmlns=\"https://example.org/lists/invented\"><publshInformation>\
         <Publish_Date>11/20/2026</Publish_Date><Record_Count>{persons}</Record_Count></publshInformation>"
    );
    entry(&mut text, 1, ("Ivan Sergeyevich", "PETROV"), "18 Mar 1968");
    for uid in 2..=persons {
        let given = format!("{} {}", word(&mut random, 2), word(&mut random, 3));
        let surname = word(&mut random, 3);
        entry(&mut text, uid, (&given, &surname), &(1940 + random.below(60)).to_string());
    }
    text.push_str("</sdnList>\n");
    text
}

fn entry(text: &mut String, uid: usize, (given, surname): (&str, &str), born: &str) {
    // a source that has no organisations, or no other names, is taken for one that was cut
    let (kind, birth) = if uid.is_multiple_of(5) {
        ("Entity", String::new())
    } else {
        let birth = format!("<dateOfBirthItem><uid>{uid}</uid><dateOfBirth>{born}</dateOfBirth></dateOfBirthItem>");
        ("Individual", format!("<dateOfBirthList>{birth}</dateOfBirthList>"))
    };
    let grade = if uid.is_multiple_of(2) { "weak" } else { "strong" };
    // writing to a string cannot fail
    writeln!(
        text,
        "<sdnEntry><uid>{uid}</uid><firstName>{given}</firstName><lastName>{surname}</lastName><sdnType>{kind}</sdnType>\
         <akaList><aka><uid>{uid}</uid><type>a.k.a.</type><category>{grade}</category><lastName>{surname}</lastName></aka></akaList>\
         <nationalityList><nationality><uid>{uid}</uid><country>Russia</country></nationality></nationalityList>{birth}</sdnEntry>"
    )
    .unwrap_or_default();
}
