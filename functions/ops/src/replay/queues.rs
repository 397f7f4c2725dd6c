//! Which steps can be set off again, and through which queue.

/// How events reach a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By a queue of its name.
    One,
    /// By a queue for each trading platform.
    ByPlatform,
    /// By either, as the event names a platform or not.
    Both,
}

/// Every step that a queue sets off, but this one, and those of compliance: of what they find nobody else learns.
pub const STEPS: &[(&str, Way)] = &[
    ("accounts-create", Way::Both),
    ("accounts-open", Way::One),
    ("accounts-set", Way::Both),
    ("kyc-assess", Way::One),
    ("kyc-compare", Way::One),
    ("kyc-hits", Way::One),
    ("kyc-read", Way::One),
    ("kyc-rescreen", Way::One),
    ("kyc-screen", Way::One),
    ("kyc-verify", Way::One),
    ("leads-fetch", Way::One),
    ("leads-route", Way::One),
    ("leads-tell", Way::One),
    ("ops-desk", Way::One),
    ("ops-notify", Way::One),
    ("ops-redrive", Way::One),
    ("partners-accrue", Way::One),
    ("partners-attribute", Way::One),
    ("partners-pay", Way::One),
    ("partners-qualify", Way::One),
    ("partners-settle", Way::One),
    ("payments-credit", Way::Both),
    ("payments-decide", Way::One),
    ("payments-overdue", Way::One),
    ("payments-payout", Way::One),
    ("payments-reconcile", Way::One),
    ("payments-verify", Way::ByPlatform),
    ("retention-bonus", Way::Both),
    ("retention-journeys", Way::One),
    ("trades-activity", Way::One),
    ("trades-fetch", Way::ByPlatform),
];

/// The trading platforms that have queues of their own.
const PLATFORMS: [&str; 4] = ["mt5", "mt4", "ctrader", "dxtrade"];

/// Every name by which executions can be asked for: steps, and their queues.
pub fn names() -> Vec<String> {
    let of = |(step, way): &(&str, Way)| {
        let platforms = PLATFORMS.iter().map(|platform| format!("{step}-{platform}"));
        let platforms: Vec<String> = if *way == Way::One { vec![] } else { platforms.collect() };
        std::iter::once((*step).to_owned()).chain(platforms).collect::<Vec<_>>()
    };
    STEPS.iter().flat_map(of).collect()
}

/// The queues of a step, without what their names begin with.
pub fn queues_of(step: &str) -> Vec<String> {
    let way = way_of(step);
    let platforms = PLATFORMS.iter().filter(|_| way.is_some_and(|way| way != Way::One));
    let own = way.filter(|way| *way != Way::ByPlatform).map(|_| step.to_owned());
    own.into_iter().chain(platforms.map(|platform| format!("{step}-{platform}"))).collect()
}

/// The step of a name, and the platform where it is the queue of one.
pub fn step_of(name: &str) -> (&str, Option<&str>) {
    let split = name.rsplit_once('-').filter(|(step, platform)| PLATFORMS.contains(platform) && way_of(step).is_some());
    split.map_or((name, None), |(step, platform)| (step, Some(platform)))
}

fn way_of(step: &str) -> Option<Way> {
    STEPS.iter().find(|(name, _)| *name == step).map(|(_, way)| *way)
}

/// Through which queue an event gets to a step.
pub fn queue_for(step: &str, platform: Option<&str>) -> Option<String> {
    let platform = platform.filter(|platform| PLATFORMS.contains(platform));
    match (way_of(step)?, platform) {
        (Way::One | Way::Both, None) | (Way::One, Some(_)) => Some(step.to_owned()),
        (Way::ByPlatform | Way::Both, Some(platform)) => Some(format!("{step}-{platform}")),
        (Way::ByPlatform, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_goes_to_the_queue_of_its_platform() {
        for (step, platform, queue) in [
            ("payments-credit", Some("mt5"), Some("payments-credit-mt5")),
            ("payments-credit", None, Some("payments-credit")),
            ("payments-credit", Some("abacus"), Some("payments-credit")),
            ("payments-verify", None, None),
            ("ops-desk", Some("mt5"), Some("ops-desk")),
            ("payments-initiate", Some("mt5"), None),
        ] {
            assert_eq!(queue_for(step, platform).as_deref(), queue, "{step} {platform:?}");
        }
        assert!(STEPS.iter().all(|(step, _)| !queues_of(step).is_empty()));
    }

    #[test]
    fn a_name_is_a_step_or_one_of_its_queues() {
        assert_eq!(step_of("payments-credit"), ("payments-credit", None));
        assert_eq!(step_of("payments-credit-dxtrade"), ("payments-credit", Some("dxtrade")));
        assert!(STEPS.is_sorted_by_key(|(step, _)| *step));
        let names = names();
        assert!(names.contains(&"trades-fetch".to_owned()) && names.contains(&"trades-fetch-mt4".to_owned()));
        assert!(!names.iter().any(|name| name.starts_with("compliance")));
    }
}
