//! The rule sets: the seed files, a corpus of defects, the laws of the engine, and the messages that follow.

#[cfg(test)]
mod defects;
#[cfg(test)]
mod defects_sales;
#[cfg(test)]
mod fx;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod openings;
#[cfg(test)]
mod partners;
#[cfg(test)]
mod references;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod verdicts;
