//! Nothing leaves the process in a rehearsal ([`store::rehearsed`]): every client of AWS has [`Guard`], and HTTP goes through [`guarded`]. What reads stays allowed.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use http::{Request, Response};
use providers::http::{BoxFuture, ByteStream, Connection, Transport, TransportError};
use url::Url;

pub use store::stops_at;

/// Calls of AWS that change nothing. What is not named here is refused.
const READS: [&str; 5] = ["GetItem", "BatchGetItem", "Query", "Scan", "GetSecretValue"];
const REFUSED: &str = "a rehearsal sends nothing";

/// Refuses, in a rehearsal, every call of a client of AWS that does not only read.
#[derive(Debug, Clone, Copy)]
pub struct Guard;

impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "rehearsal"
    }

    // the first hook that knows the operation
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = cfg.load::<Metadata>();
        if operation.is_some_and(|operation| READS.contains(&operation.name())) {
            return Ok(());
        }
        let call = || in_words(operation.map_or("", Metadata::service)).to_owned();
        if stops_at(call) { Err(REFUSED.into()) } else { Ok(()) }
    }
}

/// What a call of a service would do, for who reads where a rehearsal ended.
fn in_words(service: &str) -> &'static str {
    match service {
        "DynamoDB" => "a write beside the entities",
        "SQS" => "a message to a queue",
        "SES" => "a mail",
        "EventBridge" => "an event on the bus",
        _ => "a call of AWS",
    }
}

/// A transport that sends nothing in a rehearsal, over no connection of before either.
pub fn guarded(inner: Arc<dyn Transport>) -> Arc<dyn Transport> {
    Arc::new(Guarded { inner, host: String::new() })
}

struct Guarded<T> {
    inner: T,
    /// Of a connection: whose it is.
    host: String,
}

fn sends(method: &str, host: &str) -> Result<(), TransportError> {
    match stops_at(|| format!("{method} {host}")) {
        true => Err(TransportError::NotSent(REFUSED.to_owned())),
        false => Ok(()),
    }
}

impl Transport for Guarded<Arc<dyn Transport>> {
    fn send<'a>(
        &'a self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            sends(request.method().as_str(), request.uri().host().unwrap_or_default())?;
            self.inner.send(request, deadline).await
        })
    }

    fn connect<'a>(
        &'a self,
        base: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
        Box::pin(async move {
            let host = base.host_str().unwrap_or_default().to_owned();
            sends("CONNECT", &host)?;
            let connection: Box<dyn Connection> =
                Box::new(Guarded { inner: self.inner.connect(base, deadline).await?, host });
            Ok(connection)
        })
    }

    fn dial<'a>(
        &'a self,
        to: &'a Url,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn ByteStream>, TransportError>> {
        Box::pin(async move {
            let host = to.host_str().unwrap_or_default().to_owned();
            sends("CONNECT", &host)?;
            let stream: Box<dyn ByteStream> = Box::new(Guarded { inner: self.inner.dial(to, deadline).await?, host });
            Ok(stream)
        })
    }
}

/// One of before the rehearsal may still be open.
impl Connection for Guarded<Box<dyn Connection>> {
    fn send<'a>(
        &'a mut self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            sends(request.method().as_str(), &self.host)?;
            self.inner.send(request, deadline).await
        })
    }

    fn is_open(&self) -> bool {
        self.inner.is_open()
    }
}

impl ByteStream for Guarded<Box<dyn ByteStream>> {
    fn write<'a>(&'a mut self, bytes: Bytes, deadline: Duration) -> BoxFuture<'a, Result<(), TransportError>> {
        Box::pin(async move {
            sends("WRITE", &self.host)?;
            self.inner.write(bytes, deadline).await
        })
    }

    fn read<'a>(&'a mut self, deadline: Duration) -> BoxFuture<'a, Result<Bytes, TransportError>> {
        self.inner.read(deadline)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;
    use aws_types::SdkConfig;
    use aws_types::region::Region;

    use super::*;

    /// Counts what leaves the process.
    #[derive(Debug, Clone, Default)]
    struct Wire(Arc<Mutex<Vec<String>>>);

    impl HttpClient for Wire {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    impl HttpConnector for Wire {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
            self.0.lock().unwrap().push(target.rsplit('.').next().unwrap_or_default().to_owned());
            HttpConnectorFuture::ready(Ok(HttpResponse::new(200.try_into().unwrap(), SdkBody::from("{}"))))
        }
    }

    fn aws(wire: &Wire) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(crate::aws::behavior())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .http_client(wire.clone())
            .build()
    }

    /// Every way to write that the table's client has.
    async fn writes(client: &aws_sdk_dynamodb::Client) -> usize {
        let key = || AttributeValue::S("k".to_owned());
        let results = [
            client.put_item().table_name("t").item("pk", key()).send().await.is_err(),
            client.update_item().table_name("t").key("pk", key()).send().await.is_err(),
            client.delete_item().table_name("t").key("pk", key()).send().await.is_err(),
            client.transact_write_items().send().await.is_err(),
            client.batch_write_item().send().await.is_err(),
            client.execute_statement().statement("DELETE FROM t").send().await.is_err(),
            client.delete_table().table_name("t").send().await.is_err(),
        ];
        results.into_iter().filter(|refused| *refused).count()
    }

    #[tokio::test]
    async fn a_rehearsal_reads_and_writes_nothing() {
        let wire = Wire::default();
        let client = crate::awsclients::client(&aws(&wire));
        let seen = Mutex::new(0);
        let (over, rehearsed) = store::rehearsed(vec![], async {
            let read = client.get_item().table_name("t").key("pk", AttributeValue::S("k".to_owned()));
            read.send().await.unwrap();
            client.query().table_name("t").send().await.unwrap();
            *seen.lock().unwrap() = writes(&client).await;
            crate::sqs::Sqs::of(&aws(&wire))
                .send("https://sqs.eu-west-1.amazonaws.com/1/q", "body", &[])
                .await
                .unwrap_err();
        })
        .await;
        assert_eq!((over, *seen.lock().unwrap()), (None, 7));
        assert_eq!(*wire.0.lock().unwrap(), ["GetItem", "Query"]);
        assert_eq!(rehearsed.stopped_at.as_deref(), Some("a write beside the entities"));
        assert_eq!(writes(&client).await, 0, "outside it writes");
    }

    struct Net(Mutex<u32>);

    impl Transport for Net {
        fn send<'a>(
            &'a self,
            _: Request<Bytes>,
            _: Duration,
        ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
            *self.0.lock().unwrap() += 1;
            Box::pin(async { Ok(Response::new(Bytes::new())) })
        }

        fn connect<'a>(
            &'a self,
            _: &'a Url,
            _: Duration,
        ) -> BoxFuture<'a, Result<Box<dyn Connection>, TransportError>> {
            *self.0.lock().unwrap() += 1;
            Box::pin(async { Err(TransportError::NotSent("no".to_owned())) })
        }
    }

    #[tokio::test]
    async fn a_rehearsal_calls_no_vendor() {
        let net = Arc::new(Net(Mutex::new(0)));
        let transport = guarded(net.clone());
        let request = || Request::get("https://psp.example.com/v1/payments/1").body(Bytes::new()).unwrap();
        let (base, second) = ("https://mt5.example.com".parse::<Url>().unwrap(), Duration::from_secs(1));
        let (_, rehearsed) = store::rehearsed(vec![], async {
            assert!(matches!(transport.send(request(), second).await, Err(TransportError::NotSent(_))));
            assert!(transport.connect(&base, second).await.is_err());
            assert!(transport.dial(&base, second).await.is_err());
        })
        .await;
        assert_eq!((*net.0.lock().unwrap(), rehearsed.stopped_at.as_deref()), (0, Some("GET psp.example.com")));
        transport.send(request(), second).await.unwrap();
        assert_eq!(*net.0.lock().unwrap(), 1);
    }
}
