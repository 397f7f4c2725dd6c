//! Reads as DynamoDB gets them.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client as DynamoDb, Config};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use domain::ClientId;
use domain::client::Client;
use serde_json::Value;

use crate::{Crm, Table};

/// A table that holds nothing; whether each read was strongly consistent.
#[derive(Debug, Clone, Default)]
struct Empty(Arc<Mutex<Vec<bool>>>);

impl HttpClient for Empty {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Empty {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.0.lock().unwrap().push(body["ConsistentRead"] == true);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), "{}".into())))
    }
}

#[tokio::test]
async fn what_an_eventually_consistent_read_does_not_show_is_not_absent_by_that() {
    let table = Empty::default();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .http_client(table.clone())
        .build();
    let crm = Crm(Table::new(DynamoDb::from_conf(config), "crm"));
    assert_eq!(crm.load_settled::<Client>(&ClientId::from_bits(1)).await.unwrap(), None);
    assert_eq!(*table.0.lock().unwrap(), [false, true]);
}
