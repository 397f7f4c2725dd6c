//! `make rules`: checks the rule sets of `infra/rules` and publishes those that changed to an installation's table.
//!
//! `pipworks-rules TABLE NAME=VALUE…` with the names that the files leave open (`SECRET_PREFIX=pipworks/prod` …);
//! without a table it only checks. Region, credentials and endpoint are the AWS SDK's.

use std::collections::BTreeMap;
use std::process::ExitCode;

use broker::Failure;
use broker::day::say;
use broker::local::repository;
use broker::rules::{self, RuleFile};
use domain::Timestamp;
use domain::rule_sets::SetName;
use runtime::Clock as _;
use runtime::lambda::SystemClock;
use store::{Rules, Table};

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Vec<String>) -> Result<(), Failure> {
    let names: BTreeMap<String, String> =
        arguments.iter().filter_map(|a| a.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    let table = arguments.iter().find(|argument| !argument.contains('='));
    let folder = repository().join("infra/rules");
    // all are read before any is published: a fault in one leaves everything as it is
    let mut files = BTreeMap::new();
    for set in SetName::ALL {
        files.insert(*set, rules::read_file(&folder, *set, &names)?);
    }
    rules::check_references(&files.iter().map(|(set, file)| (*set, file.document.clone())).collect())?;
    let Some(table) = table else {
        say("every rule set is in order");
        return Ok(());
    };
    let config = aws_config::load_defaults(runtime::aws::behavior()).await;
    let table = Rules(Table::new(aws_sdk_dynamodb::Client::new(&config), table.as_str()));
    let now = SystemClock.now();
    for (set, file) in &files {
        say(&publish(&table, *set, file, now).await?);
    }
    Ok(())
}

async fn publish(table: &Rules, set: SetName, file: &RuleFile, now: Timestamp) -> Result<String, Failure> {
    let newest = table.live(set.as_str(), Timestamp::LATEST).await?;
    if let Some(newest) = newest.as_ref() {
        let text = file.document.to_string();
        if newest.document == text {
            return Ok(format!("{set}: unchanged"));
        }
        if newest.author != rules::INSTALLATION {
            let by = newest.published_by.as_ref().unwrap_or(&newest.author);
            return Ok(format!(
                "{set}: left as it is: {by} published version {}; it is changed by a draft",
                newest.version
            ));
        }
    }
    let version = newest.map_or(1, |newest| newest.version.saturating_add(1));
    if !rules::publish_file(table, set, version, file, now).await? {
        return Err(format!("{set}: somebody else published version {version} just now; look at it first").into());
    }
    Ok(format!("{set}: version {version} is live"))
}
