//! MetaTrader 5 return codes and what each says about a call.

use crate::platforms::PlatformError;
use crate::platforms::call::Effect;

/// The number at the front of a `retcode` such as `0 Done`; the text varies by build.
pub(super) fn number(retcode: &str) -> Option<u32> {
    let end = retcode.find(|c: char| !c.is_ascii_digit()).unwrap_or(retcode.len());
    retcode.get(..end)?.parse().ok()
}

/// What a return code says. Codes that a server gives before it touches its data are certainly-not-applied; errors of
/// networks, clocks and disks can come after, so for a write nothing is known. A code that is not listed is one of
/// those.
pub(super) fn check(code: u32, text: &str, effect: Effect) -> Result<(), PlatformError> {
    match code {
        0 | 1 => Ok(()),
        // Invalid parameters or data, not found, duplicate.
        3 | 4 | 13 | 17 => Err(refused(code, text)),
        // Users, trade limits, invalid request, trading disabled, not enough money.
        3001..=3012 | 4001..=4005 | 10013 | 10017 | 10019 => Err(refused(code, text)),
        // No permission, or a group that is not the manager's: the same code.
        8 => Err(PlatformError::Misconfigured(said(code))),
        // Everything about the manager's login, except busy.
        1000..=1017 | 1019..=1022 => Err(PlatformError::Misconfigured(said(code))),
        // Not implemented, wrong server, not supported.
        12000..=12002 => Err(PlatformError::Misconfigured(said(code))),
        // Service not available, too frequent, busy, market closed, too many requests, deadlock, locked.
        11 | 12 | 1018 | 10018 | 10024 | 12003 | 12004 => Err(PlatformError::NotApplied(said(code))),
        // Error, disk, memory, network, time-out, no connection, partial, shutting down, cancelled, the stages of a
        // trade request, and whatever newer builds add.
        _ => Err(effect.unsure(said(code))),
    }
}

/// What the server said, without its words: these may repeat what it was sent.
fn said(code: u32) -> String {
    format!("{code} is its return code")
}

fn refused(code: u32, text: &str) -> PlatformError {
    let message = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    PlatformError::Refused { code: code.to_string(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    enum Says {
        Done,
        Refused,
        Misconfigured,
        NotApplied,
        Unknown,
    }

    fn says(code: u32, effect: Effect) -> Says {
        match check(code, &format!("{code} Text"), effect) {
            Ok(()) => Says::Done,
            Err(PlatformError::Refused { code: given, message }) => {
                assert_eq!((given, message.as_str()), (code.to_string(), "Text"));
                Says::Refused
            }
            Err(PlatformError::Misconfigured(_)) => Says::Misconfigured,
            Err(PlatformError::NotApplied(_)) => Says::NotApplied,
            Err(PlatformError::Unknown(_)) => Says::Unknown,
        }
    }

    #[test]
    fn every_code_says_what_may_have_happened() {
        use Says::{Done, Misconfigured, NotApplied, Refused, Unknown};
        // Code, of a read, of a write.
        let cases: &[(&[u32], Says, Says)] = &[
            (&[0, 1], Done, Done),
            (&[3, 4, 13, 17], Refused, Refused),
            (&[3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008, 3009, 3010, 3011, 3012], Refused, Refused),
            (&[4001, 4002, 4003, 4004, 4005], Refused, Refused),
            (&[10013, 10017, 10019], Refused, Refused),
            (&[8], Misconfigured, Misconfigured),
            (
                &[1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1010, 1011, 1012, 1013, 1020, 1022],
                Misconfigured,
                Misconfigured,
            ),
            (&[12000, 12001, 12002], Misconfigured, Misconfigured),
            (&[11, 12, 1018, 10018, 10024, 12003, 12004], NotApplied, NotApplied),
            (&[2, 5, 6, 7, 9, 10, 14, 15, 16], NotApplied, Unknown),
            (&[10001, 10002, 10009, 10010, 10011, 10012, 10031], NotApplied, Unknown),
            (&[18, 999, 1023, 3013, 4006, 10020, 12005, 99999, u32::MAX], NotApplied, Unknown),
        ];
        for (codes, read, write) in cases {
            for code in *codes {
                assert_eq!(says(*code, Effect::Read), *read, "read {code}");
                assert_eq!(says(*code, Effect::Write), *write, "write {code}");
            }
        }
    }

    #[test]
    fn the_number_is_read_whatever_the_text() {
        for (retcode, code) in
            [("0 Done", Some(0)), ("0", Some(0)), ("10019 No money", Some(10019)), ("3Invalid", Some(3))]
        {
            assert_eq!(number(retcode), code);
        }
        for retcode in ["", "Done", "-1", " 0 Done", "99999999999 x"] {
            assert_eq!(number(retcode), None, "{retcode}");
        }
    }
}
