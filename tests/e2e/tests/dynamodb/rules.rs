//! Rule sets.

use store::RuleVersion;

use crate::both::on_both;
use crate::samples::at;

fn version(set: &str, number: u64, from: u32) -> RuleVersion {
    RuleVersion {
        set: set.to_owned(),
        version: number,
        document: format!("{{\"number\":{number}}}"),
        author: "finance-1".to_owned(),
        effective_at: at(from),
    }
}

#[tokio::test]
async fn the_newest_version_whose_time_has_come_is_live_and_none_is_published_twice() {
    on_both(async |tables| {
        let rules = &tables.rules;
        for published in [version("psps", 1, 0), version("psps", 2, 10), version("psps", 3, 100), version("desk", 1, 0)]
        {
            assert!(rules.publish(&published).await.unwrap());
        }
        assert!(!rules.publish(&version("psps", 2, 0)).await.unwrap());
        assert_eq!(rules.live("psps", at(9)).await.unwrap(), Some(version("psps", 1, 0)));
        assert_eq!(rules.live("psps", at(10)).await.unwrap(), Some(version("psps", 2, 10)));
        assert_eq!(rules.live("psps", at(99)).await.unwrap(), Some(version("psps", 2, 10)));
        assert_eq!(rules.live("psps", at(100)).await.unwrap(), Some(version("psps", 3, 100)));
        assert_eq!(rules.live("platforms", at(100)).await.unwrap(), None);
        tables.found_nothing();
    })
    .await;
}
