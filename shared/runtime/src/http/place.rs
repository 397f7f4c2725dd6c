//! Places in lists that are ordered by rank, as cursors: the rank, in characters that need no escape in a query.

use std::marker::PhantomData;
use std::str::FromStr;

use domain::Timestamp;

/// What ends a part of a rank, and what stands for it in a cursor.
const ENDS: (char, char) = ('#', '~');

/// The cursor of a rank.
pub fn cursor_of(rank: &str) -> String {
    rank.replace(ENDS.0, &ENDS.1.to_string())
}

/// The rank of a cursor whose parts are as they must be.
pub fn rank_of(cursor: &str, parts: &[fn(&str) -> bool]) -> Option<String> {
    let given: Vec<&str> = cursor.split(ENDS.1).collect();
    let fits = given.len() == parts.len() && given.iter().zip(parts).all(|(part, fits)| fits(part));
    fits.then(|| given.join(&ENDS.0.to_string()))
}

/// Whether a part is an id.
pub fn is_id<I: FromStr>(part: &str) -> bool {
    part.parse::<I>().is_ok()
}

/// A place in a list by priority, then due time, of what has ids of the type.
#[derive(Debug)]
pub struct ByPriority<I> {
    /// The rank.
    pub rank: String,
    id: PhantomData<I>,
}

impl<I: FromStr> FromStr for ByPriority<I> {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_priority = |part: &str| part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit());
        let rank = rank_of(text, &[is_priority, is_id::<Timestamp>, is_id::<I>]).ok_or(())?;
        Ok(Self { rank, id: PhantomData })
    }
}
