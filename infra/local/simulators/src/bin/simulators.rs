//! Runs all simulators until it is killed; prints one JSON line with their URLs once they listen.

use std::collections::HashMap;
use std::error::Error;
use std::io::Write;

use simulators::{Config, Simulators};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments(std::env::args().skip(1))?;
    let config = Config::from_lookup(|name| {
        let given = arguments.get(name).cloned();
        given.or_else(|| std::env::var(format!("SIMULATORS_{name}")).ok())
    })?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(serve(config))
}

async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let running = Simulators::start(config).await?;
    let line = serde_json::to_string(running.urls())?;
    let mut output = std::io::stdout();
    writeln!(output, "{line}")?;
    output.flush()?;
    std::future::pending::<()>().await;
    running.stop().await;
    Ok(())
}

/// `--stripe-port 4000` sets `STRIPE_PORT`.
fn arguments(mut words: impl Iterator<Item = String>) -> Result<HashMap<String, String>, Box<dyn Error>> {
    let mut found = HashMap::new();
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").ok_or_else(|| format!("unexpected argument {word}"))?;
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        found.insert(name.to_ascii_uppercase().replace('-', "_"), value);
    }
    Ok(found)
}
