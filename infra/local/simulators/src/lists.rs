//! The sources of sanctions and PEP lists: small lists of invented parties, as files. Whoever tries something out replaces one, or has it cut.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::control::{self, Controlled};
use crate::courier::Courier;
use crate::desk::{Desk, lock};
use crate::fault::Refusal;
use crate::payer::parse;
use crate::reply;
use crate::request::Call;

/// What the sources have at first.
const LISTS: [(&str, &[u8]); 5] = [
    ("ofac_sdn", include_bytes!("../lists/ofac_sdn.xml")),
    ("eu_fsf", include_bytes!("../../../../shared/screening/tests/samples/eu_1_1.csv")),
    ("un_sc", include_bytes!("../../../../shared/screening/tests/samples/un.xml")),
    ("uk_sl", include_bytes!("../../../../shared/screening/tests/samples/uk_full.csv")),
    ("pep_leaders", include_bytes!("../../../../shared/screening/tests/samples/leaders.csv")),
];

/// The simulator.
pub(crate) struct Lists {
    desk: Desk,
    files: Mutex<BTreeMap<String, Bytes>>,
}

fn first() -> BTreeMap<String, Bytes> {
    LISTS.iter().map(|(name, bytes)| ((*name).to_owned(), Bytes::from_static(bytes))).collect()
}

impl Lists {
    pub(crate) fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { desk: Desk::new(clock), files: Mutex::new(first()) })
    }

    pub(crate) fn router(self: &Arc<Self>, courier: Arc<Courier>) -> Router {
        Router::new()
            .route("/{list}", get(serve).put(replace))
            .route("/_control/cut", post(cut))
            // real lists are of any size
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(self))
            .merge(control::routes(Arc::clone(self), courier))
    }

    fn take(&self, list: &str) -> Response {
        match lock(&self.files).get(list) {
            Some(bytes) => reply::text(StatusCode::OK, "application/octet-stream", bytes.clone()),
            None => reply::plain(StatusCode::NOT_FOUND, "no such list"),
        }
    }
}

fn refuse(refusal: &Refusal) -> Response {
    reply::plain(refusal.http_status(500), refusal.text("the source has a problem"))
}

async fn serve(State(lists): State<Arc<Lists>>, Path(list): Path<String>, call: Call) -> Response {
    let apply = {
        let (lists, list) = (Arc::clone(&lists), list.clone());
        move || lists.take(&list)
    };
    lists.desk.serve(&list, || call.flat(), refuse, apply).await
}

/// `PUT /{list}`: what its source gives from now on.
async fn replace(State(lists): State<Arc<Lists>>, Path(list): Path<String>, body: Bytes) -> Response {
    let bytes = body.len();
    lock(&lists.files).insert(list.clone(), body);
    reply::ok(&json!({"list": list, "bytes": bytes}))
}

/// `POST /_control/cut`: a list's source gives only its beginning from now on, as a broken download does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    list: String,
    /// So many bytes stay; half of them where nobody says.
    bytes: Option<usize>,
}

async fn cut(State(lists): State<Arc<Lists>>, call: Call) -> Response {
    let cut = match parse::<Cut>(&call.body) {
        Ok(cut) => cut,
        Err(response) => return *response,
    };
    let mut files = lock(&lists.files);
    let Some(whole) = files.get(&cut.list) else {
        return reply::control_error(StatusCode::NOT_FOUND, "no such list");
    };
    let beginning = whole.slice(..cut.bytes.unwrap_or(whole.len() / 2).min(whole.len()));
    let bytes = beginning.len();
    files.insert(cut.list.clone(), beginning);
    reply::ok(&json!({"list": cut.list, "bytes": bytes}))
}

impl Controlled for Lists {
    fn desk(&self) -> &Desk {
        &self.desk
    }

    fn state(&self, _only: Option<&str>) -> Map<String, Value> {
        let sizes: BTreeMap<String, usize> =
            lock(&self.files).iter().map(|(list, bytes)| (list.clone(), bytes.len())).collect();
        Map::from_iter([("lists".to_owned(), json!(sizes))])
    }

    fn clear(&self) {
        *lock(&self.files) = first();
    }
}
