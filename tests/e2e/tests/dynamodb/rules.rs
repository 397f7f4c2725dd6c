//! Rule sets.

use store::RuleVersion;

use crate::both::on_both_with_transactions;
use crate::samples::at;

fn version(set: &str, number: u64, from: u32) -> RuleVersion {
    RuleVersion {
        set: set.to_owned(),
        version: number,
        document: format!("{{\"number\":{number}}}"),
        author: "finance-1".to_owned(),
        published_by: Some("finance-2".to_owned()),
        effective_at: at(from),
    }
}

#[tokio::test]
async fn the_newest_version_whose_time_has_come_is_live_and_none_is_published_twice() {
    on_both_with_transactions(async |tables| {
        let rules = &tables.rules;
        for published in [version("psps", 1, 0), version("psps", 2, 10), version("psps", 3, 100), version("desk", 1, 0)]
        {
            let source = format!("number: {} # of {}\n", published.version, published.set);
            assert!(rules.publish(&published, &source).await.unwrap());
        }
        assert!(!rules.publish(&version("psps", 2, 0), "").await.unwrap());
        assert_eq!(rules.version("psps", 2).await.unwrap(), Some(version("psps", 2, 10)));
        assert_eq!(rules.version("psps", 4).await.unwrap(), None);
        assert_eq!(rules.source("psps", 2).await.unwrap().as_deref(), Some("number: 2 # of psps\n"));
        assert_eq!(rules.source("psps", 4).await.unwrap(), None);
        let newest: Vec<u64> = rules.newest("psps", 2, true).await.unwrap().iter().map(|one| one.version).collect();
        assert_eq!(newest, [3, 2]);
        assert_eq!(rules.live("psps", at(9)).await.unwrap(), Some(version("psps", 1, 0)));
        assert_eq!(rules.live("psps", at(10)).await.unwrap(), Some(version("psps", 2, 10)));
        assert_eq!(rules.live("psps", at(99)).await.unwrap(), Some(version("psps", 2, 10)));
        assert_eq!(rules.live("psps", at(100)).await.unwrap(), Some(version("psps", 3, 100)));
        assert_eq!(rules.live("platforms", at(100)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn an_older_version_is_not_published_after_a_newer_one() {
    on_both_with_transactions(async |tables| {
        let rules = &tables.rules;
        assert!(rules.publish(&version("psps", 3, 0), "").await.unwrap());
        assert!(!rules.publish(&version("psps", 2, 0), "").await.unwrap(), "nobody would ever see it live");
        assert_eq!(rules.version("psps", 2).await.unwrap(), None);
        assert!(rules.publish(&version("psps", 4, 0), "").await.unwrap());
    })
    .await;
}
