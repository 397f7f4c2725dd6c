//! How much is measured. `BENCH_QUICK=1` measures little: it shows that everything can be measured, not how much it is.

/// The counts of a run.
pub struct Plan {
    /// Processes of each function whose start is measured.
    pub starts: usize,
    /// Warm webhooks that are not measured.
    pub warm_up: usize,
    /// Warm webhooks that are.
    pub webhooks: usize,
    /// Deposits whose units are counted.
    pub counted: u32,
    /// Deposits of the latency measurement.
    pub paced: usize,
    /// How many of them start in a second.
    pub pace_per_s: u32,
    /// Deposits and withdrawals from end to end.
    pub counted_money: usize,
    /// Webhooks of the burst.
    pub burst_webhooks: usize,
    /// Payments of the day that is reconciled.
    pub settled: usize,
    /// Leads of the latency measurement.
    pub leads: usize,
    /// Leads whose units are counted.
    pub counted_leads: u32,
    /// Leads of the burst.
    pub burst: usize,
    /// Routing decisions that are timed, of each kind.
    pub decisions: usize,
    /// Persons whose documents are read, each kind after each mishap.
    pub persons: u64,
    /// Of the mishaps, every so many is tried.
    pub mishaps: usize,
    /// Photos that are submitted.
    pub photos: usize,
    /// Cases that are decided.
    pub cases: usize,
    /// Indices that are read for a first answer.
    pub indices: usize,
    /// Parties on the list of each.
    pub listed: usize,
    /// Approvals of the latency measurement.
    pub approvals: usize,
    /// Approvals of the burst.
    pub approvals_at_once: usize,
    /// Clients that are stored when units are counted, few and many.
    pub clients: [usize; 2],
}

impl Plan {
    /// The plan of a run.
    pub fn new(quick: bool) -> Self {
        if quick {
            return Self {
                starts: 3,
                warm_up: 10,
                webhooks: 40,
                counted: 5,
                paced: 60,
                pace_per_s: 20,
                counted_money: 20,
                burst_webhooks: 200,
                settled: 5_000,
                leads: 40,
                counted_leads: 5,
                burst: 100,
                decisions: 500,
                persons: 1,
                mishaps: 8,
                photos: 2,
                cases: 20,
                indices: 2,
                listed: 2_000,
                approvals: 12,
                approvals_at_once: 200,
                clients: [100, 2_000],
            };
        }
        Self {
            starts: 40,
            warm_up: 50,
            webhooks: 400,
            counted: 20,
            paced: 300,
            pace_per_s: 20,
            counted_money: 200,
            burst_webhooks: 5_000,
            settled: 100_000,
            leads: 300,
            counted_leads: 20,
            burst: 1_000,
            decisions: 20_000,
            persons: 2,
            mishaps: 1,
            photos: 10,
            cases: 200,
            indices: 5,
            listed: 40_000,
            approvals: 120,
            approvals_at_once: 10_000,
            clients: [1_000, 100_000],
        }
    }
}
