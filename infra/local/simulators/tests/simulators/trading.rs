//! A manager's connection, with the handshake computed here and not by the simulator.

use md5::{Digest, Md5};
use serde_json::Value;

use crate::support::Client;

pub const PASSWORD: &str = "Local-Api-1";

pub fn hash(password: &str) -> Vec<u8> {
    let utf16: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let inner = Md5::digest(&utf16).to_vec();
    Md5::digest([inner, b"WebAPI".to_vec()].concat()).to_vec()
}

pub fn answer(hash: &[u8], random: &str) -> String {
    let random = hex::decode(random).unwrap();
    hex::encode(Md5::digest([hash.to_vec(), random].concat()))
}

/// Goes through both steps; gives the return code of the second and the server's answer to our challenge.
pub async fn log_on(client: &mut Client, password: &str) -> (String, Option<String>) {
    let start = client.get("/api/auth/start?version=3091&agent=test&login=1000&type=manager").await.json();
    assert_eq!(start["retcode"], "0 Done");
    let random = start["srv_rand"].as_str().unwrap().to_owned();
    assert_eq!(random.len(), 32);
    let path = format!(
        "/api/auth/answer?srv_rand_answer={}&cli_rand={}",
        answer(&hash(password), &random),
        "000102030405060708090a0b0c0d0e0f"
    );
    let done = client.get(&path).await.json();
    let proof = done["cli_rand_answer"].as_str().map(str::to_owned);
    (done["retcode"].as_str().unwrap().to_owned(), proof)
}

pub async fn manager(url: &str) -> Client {
    let mut client = Client::connect(url).await;
    assert_eq!(log_on(&mut client, PASSWORD).await.0, "0 Done");
    client
}

pub const ACCOUNT: &str = "/api/user/add?group=real%5Cstandard-usd&name=Ada%20Lovelace&leverage=30";
pub const PASSWORDS: &str = r#"{"PassMain":"Abcde-1x","PassInvestor":"Abcde-2x"}"#;

/// Opens an account and gives its login.
pub async fn open(client: &mut Client) -> u64 {
    let opened = client.call("POST", ACCOUNT, &[], PASSWORDS).await.json();
    assert_eq!(opened["retcode"], "0 Done", "{opened}");
    opened["login"].as_str().unwrap().parse().unwrap()
}

/// A balance operation of type 2.
pub async fn balance(client: &mut Client, login: u64, amount: &str, comment: &str) -> Value {
    let path = balance_path(login, amount, comment);
    client.call("POST", &path, &[], "").await.json()
}

pub fn balance_path(login: u64, amount: &str, comment: &str) -> String {
    format!("/api/trade/balance?login={login}&type=2&balance={amount}&comment={comment}")
}

pub async fn deals(client: &mut Client, login: u64) -> Vec<Value> {
    let path = format!("/api/deal/get_page?login={login}&from=0&to=9999999999&offset=0&total=100");
    let page = client.get(&path).await.json();
    page["answer"].as_array().unwrap().clone()
}
