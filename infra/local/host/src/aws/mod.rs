//! AWS in process: an HTTP connector under the unchanged SDK clients.
//!
//! A function's clients sign, serialise, retry and parse as they do on AWS; only the wire is missing.

mod dynamodb;
mod events;
mod operations;
mod policy;
pub(crate) mod probe;
pub(crate) mod s3;
mod secrets;
mod sqs;
mod transport;
mod usage;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

pub use dynamodb::{DatabaseError, Dynamo};
pub(crate) use policy::allows;
pub use probe::{CallInfo, Probe, Service, Verdict};
pub use s3::FilesError;
pub(crate) use s3::S3;
pub(crate) use secrets::Secrets;
pub(crate) use transport::ProbedTransport;
pub(crate) use usage::Usage;
pub use usage::{UsageKey, Used};

use crate::dispatch::bus::Bus;
use crate::dispatch::queues::Queues;
use crate::template::{ACCOUNT, REGION, Statement};
use operations::Consumed;
use probe::{current_function, guarded, guarded_or};

/// What answers SES: the form body to a status and an XML document.
pub type SesHandler = Arc<dyn Fn(&[u8]) -> (u16, String) + Send + Sync>;

/// Who makes a call, and what its role allows.
#[derive(Clone)]
pub(crate) struct Caller {
    function: Option<Arc<str>>,
    statements: Arc<[Statement]>,
}

/// The sentence with which IAM refuses.
pub(crate) struct Denied(pub(crate) String);

impl Caller {
    /// The host itself, tests and the demo: everything is allowed.
    pub(crate) fn host() -> Self {
        Self { function: None, statements: Arc::new([]) }
    }

    /// A function under its role.
    pub(crate) fn function(name: &str, statements: &[Statement]) -> Self {
        Self { function: Some(name.into()), statements: statements.into() }
    }

    /// What the caller's requests name as who signed them.
    fn access_key(&self) -> String {
        self.function.as_ref().map_or_else(|| "LOCAL".to_owned(), |function| format!("LOCAL-{function}"))
    }

    fn may(&self, action: &str, resource: &str) -> Result<(), Denied> {
        match &self.function {
            Some(function) if !policy::allows(&self.statements, action, resource) => {
                Err(self.denied(function, action, resource))
            }
            _ => Ok(()),
        }
    }

    fn may_somewhere(&self, action: &str) -> Result<(), Denied> {
        match &self.function {
            Some(function) if !policy::allows_somewhere(&self.statements, action) => {
                Err(self.denied(function, action, "any resource"))
            }
            _ => Ok(()),
        }
    }

    fn denied(&self, function: &str, action: &str, resource: &str) -> Denied {
        tracing::error!(function, action, resource, "the template does not allow this call");
        Denied(format!(
            "User: arn:aws:sts::{ACCOUNT}:assumed-role/{function} is not authorized to perform: {action} \
             on resource: {resource} because no identity-based policy allows the {action} action"
        ))
    }
}

const FAILED: &str = "the service has failed";

/// What a service answers.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) xml: bool,
}

impl Answer {
    fn json(body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self { status: 200, body, xml: false },
            Err(error) => Self::error(500, "InternalServerError", &error.to_string()),
        }
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"__type": code, "message": message, "Message": message}).to_string();
        Self { status, body: body.into_bytes(), xml: false }
    }

    /// What a service says whose own fault it is; whether it did what was asked is not known.
    fn failed() -> Self {
        Self::error(500, "InternalServerError", FAILED)
    }

    fn xml_error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        Self { status, body: body.into_bytes(), xml: true }
    }
}

/// The services of a host, behind one connector.
pub(crate) struct Services {
    pub(crate) dynamo: Dynamo,
    pub(crate) bus: OnceLock<Arc<Bus>>,
    pub(crate) queues: OnceLock<Queues>,
    pub(crate) secrets: Secrets,
    pub(crate) ses: Option<SesHandler>,
    /// Where the template has a bucket.
    pub(crate) s3: Option<Arc<S3>>,
    pub(crate) usage: Usage,
}

/// The connector of one caller.
#[derive(Clone)]
struct Connector {
    services: Arc<Services>,
    caller: Caller,
}

/// An SDK configuration whose clients reach this host and nothing else.
pub(crate) fn sdk_config(services: &Arc<Services>, caller: Caller) -> SdkConfig {
    let access_key = caller.access_key();
    let mut secret = "local";
    let mut builder = SdkConfig::builder()
        .behavior_version(runtime::aws::behavior())
        .region(Region::from_static(REGION))
        // only a probe makes a call fail here, and nobody is kept waiting by that
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)));
    if let Some(s3) = &services.s3 {
        // an address that a function signs works over HTTP, with that function's rights
        s3.know(&access_key, &caller);
        secret = s3.secret();
        let endpoint = BTreeMap::from([("AWS_ENDPOINT_URL_S3".to_owned(), s3.url().to_owned())]);
        builder = builder.service_config(runtime::aws::Endpoints(endpoint));
    }
    let credentials = Credentials::new(access_key, secret, None, None, "local");
    builder
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Connector { services: Arc::clone(services), caller })
        .build()
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("function", &self.caller.function).finish()
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        if self.services.s3.as_ref().is_some_and(|s3| s3.is_at(request.uri())) {
            return HttpConnectorFuture::new(async move { connector.object(request).await });
        }
        let host = request.uri().split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
        let host = host.unwrap_or_default().to_owned();
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next());
        let operation = operation.unwrap_or_default().to_owned();
        let body = request.body().bytes().map(Bytes::copy_from_slice);
        HttpConnectorFuture::new(async move {
            let body = body.ok_or_else(|| ConnectorError::user("a streamed body is not supported locally".into()))?;
            let answer = connector.answer(&host, &operation, &body).await;
            response(answer)
        })
    }
}

impl Connector {
    async fn answer(&self, host: &str, operation: &str, body: &Bytes) -> Answer {
        let caller = &self.caller;
        let services = &self.services;
        match (host.split('.').next().unwrap_or_default(), operation) {
            ("dynamodb", operation) => self.dynamodb(operation, body).await,
            ("events", "PutEvents") => {
                let target = events::target(body);
                let call = async {
                    match services.bus.get() {
                        Some(bus) => events::put_events(bus, caller, body),
                        None => Answer::error(500, "InternalException", "the bus is not there yet"),
                    }
                };
                self.counted(Service::EventBridge, "PutEvents", &target, call).await
            }
            ("secretsmanager", "GetSecretValue") => {
                let target = secrets::target(body);
                let call = async { services.secrets.get_secret_value(caller, body) };
                self.counted(Service::SecretsManager, operation, &target, call).await
            }
            ("sqs", "SendMessage" | "ChangeMessageVisibility") => {
                let target = sqs::target(body);
                let call = async {
                    match services.queues.get() {
                        Some(queues) if operation == "SendMessage" => sqs::send_message(queues, caller, body),
                        Some(queues) => sqs::change_visibility(queues, caller, body),
                        None => Answer::error(500, "com.amazonaws.sqs#InternalError", "the queues are not there yet"),
                    }
                };
                self.counted(Service::Sqs, operation, &target, call).await
            }
            ("email", _) => self.counted(Service::Ses, "SendEmail", "mail", async { self.mail(body) }).await,
            (service, operation) => {
                let message = format!("{service} {operation} does not run locally");
                Answer::error(400, "UnknownOperationException", &message)
            }
        }
    }

    async fn object(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let Some(s3) = &self.services.s3 else { return Err(ConnectorError::user("there is no bucket".into())) };
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (operation, target) = s3::asked_of(&request);
        let answer = guarded(Service::S3, operation, &target, async {
            let answer = s3.answer(&self.caller, request.map(s3s::Body::http_body_unsync)).await;
            let bucket = target.split('/').next().unwrap_or_default();
            self.services.usage.add(self.key(Service::S3, operation, bucket), Used { calls: 1, ..Used::default() });
            s3::whole(answer).await
        });
        let answer = answer.await.map_err(ConnectorError::io)?;
        HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
    }

    async fn dynamodb(&self, operation: &str, body: &Bytes) -> Answer {
        let target = table_of(body);
        let call = self.services.dynamo.answer(operation, body, &self.caller);
        let failed: fn() -> _ = || (Answer::failed(), vec![]);
        let (answer, consumed) = guarded_or(Service::DynamoDb, operation, &target, Some(failed), async {
            let (answer, consumed) = call.await;
            self.count(operation, &target, &consumed);
            (answer, consumed)
        })
        .await;
        tracing::trace!(operation, target, status = answer.status, parts = consumed.len(), "dynamodb");
        answer
    }

    fn mail(&self, body: &[u8]) -> Answer {
        if let Err(Denied(message)) = self.caller.may_somewhere("ses:SendEmail") {
            return Answer::xml_error(403, "AccessDenied", &message);
        }
        match &self.services.ses {
            Some(handler) => {
                let (status, body) = handler(body);
                Answer { status, body: body.into_bytes(), xml: true }
            }
            None => Answer::xml_error(400, "MessageRejected", "no mail service runs here"),
        }
    }

    async fn counted(
        &self,
        service: Service,
        operation: &str,
        target: &str,
        call: impl Future<Output = Answer>,
    ) -> Answer {
        let failed: fn() -> Answer = match service {
            Service::Ses => || Answer::xml_error(500, "InternalFailure", FAILED),
            _ => Answer::failed,
        };
        guarded_or(service, operation, target, Some(failed), async {
            let answer = call.await;
            self.services.usage.add(self.key(service, operation, target), Used { calls: 1, ..Used::default() });
            answer
        })
        .await
    }

    fn count(&self, operation: &str, target: &str, consumed: &[Consumed]) {
        let add = |target: &str, used: Used| {
            self.services.usage.add(self.key(Service::DynamoDb, operation, target), used);
        };
        add(target, Used { calls: 1, ..Used::default() });
        for part in consumed {
            add(&part.target, Used { calls: 0, read_units: part.read, write_units: part.write });
        }
    }

    fn key(&self, service: Service, operation: &str, target: &str) -> UsageKey {
        let function = self.caller.function.clone().or_else(current_function);
        UsageKey { function, service, operation: operation.to_owned(), target: target.to_owned() }
    }
}

/// The table that a request is about: the first of several.
fn table_of(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Named {
        table_name: String,
    }
    serde_json::from_slice::<Named>(body).map(|named| named.table_name).unwrap_or_else(|_| several_tables(body))
}

/// Batches and transactions name their tables inside.
fn several_tables(body: &[u8]) -> String {
    fn names(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                if let Some(serde_json::Value::String(name)) = map.get("TableName") {
                    found.push(name.clone());
                }
                if let Some(serde_json::Value::Object(tables)) = map.get("RequestItems") {
                    found.extend(tables.keys().cloned());
                }
                map.values().for_each(|value| names(value, found));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|value| names(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(value) = serde_json::from_slice(body) {
        names(&value, &mut found);
    }
    found.sort();
    found.dedup();
    found.join("+")
}

fn response(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let content_type = if answer.xml { "text/xml" } else { "application/x-amz-json-1.0" };
    let response = http::Response::builder()
        .status(answer.status)
        .header("content-type", content_type)
        .header("x-amzn-requestid", "local")
        .body(SdkBody::from(answer.body))
        .map_err(|error| ConnectorError::other(error.into(), None))?;
    HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
}
