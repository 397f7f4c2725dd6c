//! SAM `Globals` under a resource's own properties: maps are joined, lists are appended, anything else is replaced.

use serde_json::{Map, Value};

/// The properties of a resource on top of the global ones.
pub(super) fn over(global: &Map<String, Value>, own: Map<String, Value>) -> Map<String, Value> {
    let mut merged = global.clone();
    for (key, value) in own {
        let value = match (merged.remove(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => Value::Object(over(&below, above)),
            (Some(Value::Array(mut below)), Value::Array(above)) => {
                below.extend(above);
                Value::Array(below)
            }
            (_, value) => value,
        };
        merged.insert(key, value);
    }
    merged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn maps_join_lists_append_and_scalars_are_replaced() {
        let global = json!({"Timeout": 10, "Environment": {"Variables": {"A": "1", "B": "1"}}, "Layers": ["x"]});
        let own = json!({"Timeout": 30, "Environment": {"Variables": {"B": "2"}}, "Layers": ["y"]});
        let (Value::Object(global), Value::Object(own)) = (global, own) else { panic!("objects") };
        assert_eq!(
            Value::Object(over(&global, own)),
            json!({"Timeout": 30, "Environment": {"Variables": {"A": "1", "B": "2"}}, "Layers": ["x", "y"]})
        );
    }
}
