//! The template's tables in the embedded DynamoDB.

use serde_json::{Value, json};

use crate::aws::Dynamo;
use crate::template::{Index, KeyAttribute, Projection, Table, Template};

/// Why a table is not there.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TableError {
    /// DynamoDB refused it.
    #[error("table {table} cannot be created: {answer}")]
    Refused {
        /// Physical name.
        table: String,
        /// DynamoDB's error document.
        answer: Value,
    },
    /// The file holds a table with other keys or indexes.
    #[error("table {0} in the data file has other keys or indexes than the template: start with a new file")]
    Different(String),
}

/// Creates the tables that are not there yet.
pub(crate) async fn create(dynamo: &Dynamo, template: &Template) -> Result<(), TableError> {
    for table in template.tables.values() {
        let wanted = definition(table);
        match dynamo.request("DescribeTable", &json!({"TableName": table.name})).await {
            Ok(found) if same(&wanted, &found["Table"]) => {}
            Ok(_) => return Err(TableError::Different(table.name.clone())),
            Err(_) => {
                let refused = |answer| TableError::Refused { table: table.name.clone(), answer };
                dynamo.request("CreateTable", &wanted).await.map_err(refused)?;
                expire(dynamo, table).await?;
            }
        }
    }
    Ok(())
}

async fn expire(dynamo: &Dynamo, table: &Table) -> Result<(), TableError> {
    let Some(attribute) = &table.expiry else { return Ok(()) };
    let specification = json!({"AttributeName": attribute, "Enabled": true});
    let request = json!({"TableName": table.name, "TimeToLiveSpecification": specification});
    let refused = |answer| TableError::Refused { table: table.name.clone(), answer };
    dynamo.request("UpdateTimeToLive", &request).await.map_err(refused)?;
    Ok(())
}

fn definition(table: &Table) -> Value {
    let mut attributes: Vec<&KeyAttribute> = Vec::new();
    let keys = |partition, sort: &'_ Option<KeyAttribute>| key_schema(partition, sort.as_ref());
    let all =
        std::iter::once((&table.partition, &table.sort)).chain(table.indexes.iter().map(|i| (&i.partition, &i.sort)));
    for attribute in all.flat_map(|(partition, sort)| std::iter::once(partition).chain(sort)) {
        if !attributes.contains(&attribute) {
            attributes.push(attribute);
        }
    }
    let definitions: Vec<Value> =
        attributes.iter().map(|a| json!({"AttributeName": a.name, "AttributeType": a.kind})).collect();
    let mut request = json!({
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys(&table.partition, &table.sort),
        "AttributeDefinitions": definitions,
    });
    if !table.indexes.is_empty() {
        request["GlobalSecondaryIndexes"] = table.indexes.iter().map(index).collect();
    }
    if table.stream_view.is_some() {
        // both images show which writes changed nothing: DynamoDB makes no record of those, dynoxide does
        request["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"});
    }
    request
}

fn index(index: &Index) -> Value {
    let projection = match &index.projection {
        Projection::All => json!({"ProjectionType": "ALL"}),
        Projection::KeysOnly => json!({"ProjectionType": "KEYS_ONLY"}),
        Projection::Include(names) => json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names}),
    };
    json!({
        "IndexName": index.name,
        "KeySchema": key_schema(&index.partition, index.sort.as_ref()),
        "Projection": projection,
    })
}

fn key_schema(partition: &KeyAttribute, sort: Option<&KeyAttribute>) -> Value {
    let mut schema = vec![json!({"AttributeName": partition.name, "KeyType": "HASH"})];
    schema.extend(sort.map(|sort| json!({"AttributeName": sort.name, "KeyType": "RANGE"})));
    Value::Array(schema)
}

/// Whether a table has the keys, indexes and stream that are wanted.
fn same(wanted: &Value, found: &Value) -> bool {
    let indexes = |table: &Value| {
        let mut all: Vec<String> = table["GlobalSecondaryIndexes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|index| format!("{} {} {}", index["IndexName"], index["KeySchema"], index["Projection"]))
            .collect();
        all.sort();
        all
    };
    wanted["KeySchema"] == found["KeySchema"]
        && indexes(wanted) == indexes(found)
        && wanted["StreamSpecification"]["StreamViewType"] == found["StreamSpecification"]["StreamViewType"]
}
