//! The AWS that function processes reach: DynamoDB Local with the template's tables, and a Secrets Manager.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Config, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, StreamSpecification, StreamViewType,
};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use broker::Failure;
use bytes::Bytes;
use host::template::{KeyAttribute, REGION, Table};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The variable that `dynamodb.py run` sets.
const URL: &str = "DYNAMODB_LOCAL_URL";

/// DynamoDB Local.
pub struct DynamoLocal {
    /// Its endpoint.
    pub url: String,
    /// A client of it.
    pub client: Client,
}

impl DynamoLocal {
    /// The running one.
    ///
    /// # Errors
    /// When none is named.
    pub fn reach(access_key: &str) -> Result<Self, Failure> {
        let url = std::env::var(URL).map_err(|_| format!("{URL} is not set: start with `make bench`"))?;
        let config = Config::builder()
            .behavior_version(runtime::aws::behavior())
            .region(Region::from_static(REGION))
            .endpoint_url(&url)
            .credentials_provider(Credentials::from_keys(access_key, "bench", None))
            .build();
        Ok(Self { url, client: Client::from_conf(config) })
    }

    /// Makes a table as the template has it.
    ///
    /// # Errors
    /// DynamoDB's.
    pub async fn create(&self, table: &Table) -> Result<(), Failure> {
        let mut call = self
            .client
            .create_table()
            .table_name(&table.name)
            .billing_mode(BillingMode::PayPerRequest)
            .set_key_schema(Some(schema(&table.partition, table.sort.as_ref())?));
        let keys = std::iter::once((&table.partition, &table.sort));
        let keys = keys.chain(table.indexes.iter().map(|index| (&index.partition, &index.sort)));
        let mut attributes = BTreeMap::new();
        for key in keys.flat_map(|(partition, sort)| std::iter::once(partition).chain(sort)) {
            attributes.insert(key.name.clone(), ScalarAttributeType::from(key.kind.as_str()));
        }
        for (name, kind) in attributes {
            let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
            call = call.attribute_definitions(attribute.build()?);
        }
        for index in &table.indexes {
            let index = GlobalSecondaryIndex::builder()
                .index_name(&index.name)
                .set_key_schema(Some(schema(&index.partition, index.sort.as_ref())?))
                .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
            call = call.global_secondary_indexes(index.build()?);
        }
        if let Some(view) = &table.stream_view {
            let stream = StreamSpecification::builder().stream_enabled(true);
            call = call.stream_specification(stream.stream_view_type(StreamViewType::from(view.as_str())).build()?);
        }
        call.send().await?;
        Ok(())
    }
}

fn schema(partition: &KeyAttribute, sort: Option<&KeyAttribute>) -> Result<Vec<KeySchemaElement>, Failure> {
    let element =
        |key: &KeyAttribute, kind| KeySchemaElement::builder().attribute_name(&key.name).key_type(kind).build();
    let mut schema = vec![element(partition, KeyType::Hash)?];
    if let Some(sort) = sort {
        schema.push(element(sort, KeyType::Range)?);
    }
    Ok(schema)
}

/// A Secrets Manager that knows `GetSecretValue`.
pub struct SecretsLocal {
    /// Its endpoint.
    pub url: String,
    server: JoinHandle<()>,
}

impl SecretsLocal {
    /// Listens on a free port.
    ///
    /// # Errors
    /// The system's.
    pub async fn start(secrets: BTreeMap<String, String>) -> Result<Self, Failure> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/", post(get_secret_value)).with_state(Arc::new(secrets));
        let server = tokio::spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { url, server })
    }
}

impl Drop for SecretsLocal {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn get_secret_value(State(secrets): State<Arc<BTreeMap<String, String>>>, body: Bytes) -> (StatusCode, String) {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let name = request.get("SecretId").and_then(Value::as_str).unwrap_or_default();
    match secrets.get(name) {
        Some(text) => (StatusCode::OK, json!({"Name": name, "SecretString": text}).to_string()),
        None => {
            let error = json!({"__type": "ResourceNotFoundException", "Message": "there is no such secret"});
            (StatusCode::BAD_REQUEST, error.to_string())
        }
    }
}
