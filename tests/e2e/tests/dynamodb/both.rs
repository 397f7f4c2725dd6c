//! The tables of the template, in both DynamoDBs.

use std::cell::Cell;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
};
use aws_types::SdkConfig;
use aws_types::region::Region;
use broker::local::repository;
use host::template::{self, KeyAttribute, Template};
use host::{Host, HostConfig, SystemEntropy, TemplateSource};
use providers::http::HyperTransport;
use runtime::Entropy as _;
use runtime::aws::behavior;
use serde_yaml_ng::Value as Yaml;
use store::{Crm, Journal, MoneyTable, Rules, Table, TableUsage, Usage, measured};

/// The store's tables in one DynamoDB.
pub struct Tables {
    pub client: Client,
    pub crm: Crm,
    pub money: MoneyTable,
    pub journal: Journal,
    pub rules: Rules,
    template: Template,
    empty_queries: Cell<u32>,
}

impl Tables {
    fn new(aws: &SdkConfig, template: &Template) -> Self {
        let client = Client::new(aws);
        let table = |id: &str| Table::new(client.clone(), &template.tables[id].name);
        Self {
            crm: Crm(table("CrmTable")),
            money: MoneyTable(table("MoneyTable")),
            journal: Journal(table("JournalTable")),
            rules: Rules(table("RulesTable")),
            template: template.clone(),
            empty_queries: Cell::new(0),
            client,
        }
    }

    /// Notes a query that found nothing: it costs half a unit on AWS and on the embedded one, nothing on DynamoDB Local.
    pub fn found_nothing(&self) {
        self.empty_queries.set(self.empty_queries.get() + 1);
    }

    /// Notes so many strongly consistent ones: they cost a unit.
    pub fn found_nothing_consistently(&self, queries: u32) {
        self.empty_queries.set(self.empty_queries.get() + 2 * queries);
    }

    /// The physical name of a table.
    pub fn name(&self, logical_id: &str) -> &str {
        &self.template.tables[logical_id].name
    }
}

/// Runs a body on both, on new tables.
pub async fn on_both(body: impl AsyncFn(&Tables)) {
    let (embedded, local, used) = played(body).await;
    assert_eq!(embedded, local, "calls, write units, read units: {used}");
}

/// Runs a body with transactions on both. DynamoDB Local bills each of their items on every index of the table, in it or
/// not, and a missing item of a batch not at all; so only the calls are compared.
pub async fn on_both_with_transactions(body: impl AsyncFn(&Tables)) {
    let (embedded, local, used) = played(body).await;
    assert_eq!(embedded.0, local.0, "calls: {used}");
}

/// Calls, write and read units on the embedded one and on DynamoDB Local, and both in words.
async fn played(body: impl AsyncFn(&Tables)) -> ((u32, f64, f64), (u32, f64, f64), String) {
    let local = std::env::var("DYNAMODB_LOCAL_URL").unwrap_or_else(|_| {
        panic!(
            "DYNAMODB_LOCAL_URL is not set: these tests need DynamoDB Local. Run `make test`, or \
             `python3 infra/local/localstack/dynamodb.py run -- cargo test -p e2e --test dynamodb`"
        )
    });
    let host = embedded().await;
    let ((), on_embedded) = measured(body(&Tables::new(&host.sdk_config(), host.template()))).await;
    let tables = Tables::new(&local_config(&local), host.template());
    for table in host.template().tables.values() {
        create(&tables.client, table).await;
    }
    let ((), on_local) = measured(body(&tables)).await;
    let bill = |usage: &Usage, free: u32| {
        let each = |of: fn(&TableUsage) -> f64| usage.tables.values().map(of).sum::<f64>();
        let calls: u32 = usage.tables.values().map(|table| table.calls).sum();
        (calls, each(|table| table.write_units), each(|table| table.read_units) + f64::from(free) / 2.0)
    };
    let (embedded, local) = (bill(&on_embedded, 0), bill(&on_local, tables.empty_queries.get()));
    host.stop().await;
    (embedded, local, format!("{on_embedded:#?}\nand on DynamoDB Local {on_local:#?}"))
}

/// A host of the template's tables and nothing else.
async fn embedded() -> Host {
    let text = std::fs::read_to_string(repository().join("infra/stacks/data.yaml")).unwrap();
    let mut document: Yaml = serde_yaml_ng::from_str(&text).unwrap();
    let sections = document.as_mapping_mut().unwrap();
    sections.retain(|name, _| name.as_str() == Some("Resources"));
    let resources = sections.get_mut("Resources").unwrap().as_mapping_mut().unwrap();
    resources.retain(|_, resource| resource["Type"].as_str() == Some("AWS::DynamoDB::Table"));
    let tables = TemplateSource::Text(serde_yaml_ng::to_string(&document).unwrap());
    Host::start(HostConfig::new(tables, &[], Arc::new(HyperTransport::new()))).await.unwrap()
}

/// DynamoDB Local keeps tables of its own for each access key.
fn local_config(url: &str) -> SdkConfig {
    let key = format!("test{:x}", SystemEntropy.id_bits());
    SdkConfig::builder()
        .behavior_version(behavior())
        .region(Region::from_static(template::REGION))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(key, "secret", None, None, "test")))
        .endpoint_url(url)
        .build()
}

async fn create(client: &Client, table: &template::Table) {
    let mut call = client
        .create_table()
        .table_name(&table.name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(key_schema(&table.partition, table.sort.as_ref())));
    let mut attributes: Vec<&KeyAttribute> = std::iter::once(&table.partition).chain(&table.sort).collect();
    for index in &table.indexes {
        attributes.extend(std::iter::once(&index.partition).chain(&index.sort));
        let projection = match &index.projection {
            template::Projection::All => Projection::builder().projection_type(ProjectionType::All),
            template::Projection::KeysOnly => Projection::builder().projection_type(ProjectionType::KeysOnly),
            template::Projection::Include(names) => Projection::builder()
                .projection_type(ProjectionType::Include)
                .set_non_key_attributes(Some(names.clone())),
        };
        let index = GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(key_schema(&index.partition, index.sort.as_ref())))
            .projection(projection.build());
        call = call.global_secondary_indexes(index.build().unwrap());
    }
    attributes.sort_by_key(|attribute| &attribute.name);
    attributes.dedup();
    for attribute in attributes {
        let definition = AttributeDefinition::builder()
            .attribute_name(&attribute.name)
            .attribute_type(attribute.kind.as_str().into());
        call = call.attribute_definitions(definition.build().unwrap());
    }
    call.send().await.unwrap();
}

fn key_schema(partition: &KeyAttribute, sort: Option<&KeyAttribute>) -> Vec<KeySchemaElement> {
    let element = |attribute: &KeyAttribute, kind| {
        KeySchemaElement::builder().attribute_name(&attribute.name).key_type(kind).build().unwrap()
    };
    let sort = sort.map(|attribute| element(attribute, KeyType::Range));
    std::iter::once(element(partition, KeyType::Hash)).chain(sort).collect()
}
