//! Faults that were mended, or that nobody must make. The simulation, and for what partners earn the tests of this crate, put each back, to see
//! that their laws find it; a release build has no way to do so.

/// A fault as it once was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A running total of refunds is added to the one before.
    TotalsAreAdded,
    /// A refund that failed and a dispute that was won stay gone.
    WhatCameBackStaysGone,
    /// Each statement about money that is nobody's is an item of its own.
    AnItemForEachStatement,
    /// What a person says to have moved by hand is not held against what the automation has done.
    ByHandIsNotChecked,
    /// A success that names our payment before its record is there is nobody's money.
    EarlyIsNobodys,
    /// Any number of five digits or more is the platform's time in seconds, and the window of a look-up is moved by it.
    TimeOfAnyDigits,
    /// The rows that a look-up read are not compared with how many there are.
    RowsAreNotCounted,
    /// An error ends the pages of a look-up, which then has found nothing.
    AnErrorEndsPaging,
    /// What stands under a reference is looked for by its amount too.
    AmountIsInTheMatch,
    /// A ticket that a person names as proof is taken without looking it up.
    TicketsAreBelieved,
    /// A connection to a platform is closed as any other: the kernel goes on delivering what was written to it.
    WritesOutliveTheirCalls,
    /// The platform is called before the intent is saved.
    CreditBeforeIntent,
    /// A credit whose outcome is not known is sent again without a look-up.
    NotLookedUp,
    /// What may still be under way to a platform is taken for lost, and is looked up and sent again, before it surely is.
    GraceTooShort,
    /// What came in is acknowledged although it could not be saved.
    AcknowledgedUnsaved,
    /// A conditional write of one's own that comes back, sent again after its answer was lost, is taken for somebody else's.
    OwnWriteIsAStrangers,
    /// What is credited stays due.
    DueStays,
    /// What is put back on an account is booked twice in the ledger.
    PutBackIsBookedTwice,
    /// Whoever proposed a decision may approve it.
    MakerApproves,
    /// A partner's tier multiplies twice.
    TierCountsTwice,
    /// A later retroactive tier leaves what was earned before as it is.
    TierTopsNothingUp,
    /// A partner's share is taken of what the client's own partner gets, whoever stands right under him.
    ShareOfTheFirst,
    /// A line that is taken back is taken off the month twice.
    ReversalCountsTwice,
    /// A version of a trade that was taken before is taken again.
    RepeatIsTaken,
    /// What a trade earns is rounded to what can be paid.
    LinesAreRounded,
    /// Together partners get more than the pool has.
    PoolIsIgnored,
    /// What is in another currency is converted by a rate of an earlier day than the last one known.
    RateOfAnotherDay,
    /// What is held can be paid.
    HoldIsIgnored,
    /// What a client's deposit took back is taken back again.
    ClawedBackTwice,
    /// A trade that comes late is booked on the statement that is drawn.
    LateOnTheDrawn,
    /// A partner's move counts from before its time.
    MovesCountBackwards,
    /// Rates of partners under one another are compared whatever their currencies.
    CurrenciesAreCompared,
}

#[cfg(debug_assertions)]
thread_local! {
    static BACK: std::cell::Cell<Option<Fault>> = const { std::cell::Cell::new(None) };
}

/// Puts a fault back for whatever runs on this thread; none ends it.
#[cfg(debug_assertions)]
pub fn put_back(fault: Option<Fault>) {
    BACK.set(fault);
}

/// Whether a fault is put back: never in a release build.
#[cfg(debug_assertions)]
pub fn is_back(fault: Fault) -> bool {
    BACK.get() == Some(fault)
}

/// Whether a fault is put back: never in a release build.
#[cfg(not(debug_assertions))]
pub const fn is_back(_: Fault) -> bool {
    false
}
