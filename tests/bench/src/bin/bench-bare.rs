//! The floor that functions are held against: one DynamoDB client, made as the functions' bootstrap makes it, and a
//! handler that does one `GetItem` and one conditional `PutItem`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

/// Which item to change.
#[derive(Deserialize)]
struct Change {
    table: String,
    pk: String,
    sk: String,
    /// Bytes that the item grows by.
    grow: usize,
}

fn main() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let config = runtime::aws::sdk_config(&std::env::vars().collect());
        let client = Client::new(&config);
        lambda_runtime::run(service_fn(|event: LambdaEvent<Change>| change(&client, event.payload))).await
    })
}

async fn change(client: &Client, change: Change) -> Result<Value, Error> {
    let read = client
        .get_item()
        .table_name(&change.table)
        .key("pk", AttributeValue::S(change.pk))
        .key("sk", AttributeValue::S(change.sk))
        .consistent_read(true)
        .send()
        .await?;
    let mut item = read.item.ok_or("there is no such item")?;
    let was = item.get("v").cloned().ok_or("the item has no version")?;
    let version: u64 = was.as_n().map_err(|_| "the version is not a number")?.parse()?;
    item.insert("v".to_owned(), AttributeValue::N(version.saturating_add(1).to_string()));
    item.insert("pad".to_owned(), AttributeValue::S("x".repeat(change.grow)));
    client
        .put_item()
        .table_name(&change.table)
        .set_item(Some(item))
        .condition_expression("#v = :was")
        .expression_attribute_names("#v", "v")
        .expression_attribute_values(":was", was)
        .send()
        .await?;
    Ok(json!({"statusCode": 200}))
}
