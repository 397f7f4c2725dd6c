//! Whether a function's role allows a call. Emulators leave this out; here every test runs under the template's policies.

use crate::template::Statement;

/// Whether the statements allow an action on a resource. Conditions count as met.
pub(crate) fn allows(statements: &[Statement], action: &str, resource: &str) -> bool {
    let matching = |allows: bool| {
        statements.iter().filter(move |s| s.allows == allows).any(|statement| {
            statement.actions.iter().any(|pattern| like(&pattern.to_lowercase(), &action.to_lowercase()))
                && statement.resources.iter().any(|pattern| like(pattern, resource))
        })
    };
    matching(true) && !matching(false)
}

/// Whether the statements allow an action on any resource at all.
pub(crate) fn allows_somewhere(statements: &[Statement], action: &str) -> bool {
    statements.iter().any(|statement| {
        statement.allows
            && statement.actions.iter().any(|pattern| like(&pattern.to_lowercase(), &action.to_lowercase()))
    })
}

/// IAM's wildcards: `*` for any text, `?` for one character.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') => {
                p += 1;
                t += 1;
            }
            Some(byte) if text.get(t) == Some(byte) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // the last star takes one character more
                Some((star_p, star_t)) => {
                    star = Some((star_p, star_t + 1));
                    p = star_p + 1;
                    t = star_t + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(allows: bool, action: &str, resource: &str) -> Statement {
        Statement {
            allows,
            actions: vec![action.to_owned()],
            resources: vec![resource.to_owned()],
            conditional: false,
            sources: vec![],
            accounts: vec![],
        }
    }

    #[test]
    fn wildcards_are_those_of_iam() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("*-??????", "stripe-LOCAL0", true),
            ("*-??????", "stripe-LOCAL", false),
            ("secret:pipworks/dev/psp/*-??????", "secret:pipworks/dev/psp/stripe-LOCAL0", true),
            ("secret:pipworks/dev/psp/*-??????", "secret:pipworks/dev/slack/finance-LOCAL0", false),
            ("*a*b", "xxaxxaxb", true),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_denial_wins_and_silence_denies() {
        let allow = statement(true, "dynamodb:PutItem", "table/crm");
        assert!(allows(std::slice::from_ref(&allow), "dynamodb:PutItem", "table/crm"));
        assert!(!allows(std::slice::from_ref(&allow), "dynamodb:GetItem", "table/crm"));
        assert!(!allows(std::slice::from_ref(&allow), "dynamodb:PutItem", "table/crm/index/due"));
        assert!(!allows(&[allow, statement(false, "dynamodb:*", "*")], "dynamodb:PutItem", "table/crm"));
        assert!(!allows(&[], "dynamodb:PutItem", "table/crm"));
    }
}
