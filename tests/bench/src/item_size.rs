//! How many bytes an item has by DynamoDB's rules.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// What a list or map costs beside its elements.
const CONTAINER: usize = 3;
/// What each element of a list or map costs beside itself.
const ELEMENT: usize = 1;

/// One write unit takes so many bytes.
pub const WRITE_UNIT_BYTES: usize = 1024;

/// The bytes of an item: names and values.
pub fn item_size(item: &HashMap<String, AttributeValue>) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_size(number),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| number_size(number)).sum(),
        AttributeValue::Bs(blobs) => blobs.iter().map(|blob| blob.as_ref().len()).sum(),
        AttributeValue::L(list) => CONTAINER + list.iter().map(|value| ELEMENT + value_size(value)).sum::<usize>(),
        AttributeValue::M(map) => CONTAINER + item_size(map) + ELEMENT * map.len(),
        // a boolean or null; there is no other kind
        _ => 1,
    }
}

/// A byte for every two significant digits, one for the exponent, one for a sign.
fn number_size(number: &str) -> usize {
    let sign = usize::from(number.starts_with('-'));
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len().div_ceil(2) + 1 + sign
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_counted_by_their_kind() {
        let item = HashMap::from([
            ("pk".to_owned(), AttributeValue::S("é".to_owned())),
            ("v".to_owned(), AttributeValue::N("-1200".to_owned())),
            ("new".to_owned(), AttributeValue::Bool(true)),
            ("sent".to_owned(), AttributeValue::L(vec![AttributeValue::S("email".to_owned())])),
        ]);
        assert_eq!(item_size(&item), (2 + 2) + (1 + 3) + (3 + 1) + (4 + 3 + 1 + 5));
    }
}
