//! Payment providers: one suite for all of them, and for each its bench: its words, its units, and how its simulator is told what a payer does.
//!
//! A new provider is a module here with a [`Bench`](bench::Bench) and `conforms!` on it; what is peculiar to its protocol is tested beside it.

mod adyen;
pub mod bench;
pub mod cases;
mod checkout;
mod coinspaid;
mod nuvei;
mod paysafe;
mod praxis;
mod sink;
mod skrill;
mod stripe;

/// Every case of the suite as a test of the bench.
macro_rules! conforms {
    ($bench:ty: $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::psps::cases::$case::<$bench>().await;
            }
        )*
    };
    ($bench:ty) => {
        $crate::psps::conforms! { $bench:
            opening_a_payment_twice_opens_it_once
            a_payment_whose_opening_was_not_answered_is_opened_once_by_the_repeat
            what_cannot_be_opened_says_whether_to_try_again
            a_wrong_secret_opens_nothing
            what_a_payer_paid_is_reported_with_our_id_in_its_unit
            what_was_paid_is_reported_and_not_what_was_asked_for
            each_outcome_is_told_and_looked_up_alike
            a_look_up_says_where_it_stands_before_while_and_after
            what_nobody_opened_is_not_found
            a_look_up_that_fails_is_no_answer
            a_delivery_that_the_vendor_did_not_sign_is_refused
            no_other_signature_is_taken
            no_other_body_is_taken_under_a_signature
            a_changed_byte_changes_nothing_that_is_read
            a_delivery_signed_with_another_secret_is_refused
            a_delivery_that_comes_again_is_the_same_statement
            refunds_are_told_as_a_total_or_one_by_one
            a_dispute_is_told_with_its_amount
            each_answer_is_one_that_the_vendor_understands
            a_secret_without_a_part_is_refused
        }
    };
}

pub(crate) use conforms;
