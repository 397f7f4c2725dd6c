//! Trading platforms: one suite for all of them, and for each its bench: the adapter, its simulator, and how the simulator is told what to do.
//!
//! A new platform is a module here with a [`Bench`](bench::Bench) and `conforms!` on it; what is peculiar to its protocol is tested beside it.

pub mod bench;
pub mod cases;
mod ctrader;
mod dxtrade;
mod mt4;
mod mt5;

/// Every case of the suite as a test of the bench.
macro_rules! conforms {
    ($bench:ty: $($case:ident)*) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::platforms::cases::$case::<$bench>().await;
            }
        )*
    };
    ($bench:ty) => {
        $crate::platforms::conforms! { $bench:
            an_account_is_created_as_it_was_asked_for_and_found_by_its_reference
            one_reference_is_one_account
            a_creation_whose_answer_is_lost_is_found
            a_creation_that_never_arrived_is_not_found_and_made_again
            a_creation_that_is_refused_is_not_there
            any_name_opens_an_account
            a_group_that_was_deleted_makes_no_account
            a_login_range_that_is_exhausted_makes_no_account
            a_password_that_is_too_weak_makes_no_account
            money_is_booked_once_and_found_by_reference_and_amount
            one_reference_is_one_booking
            a_booking_whose_answer_is_lost_is_found
            a_booking_that_never_arrived_is_not_found_and_made_again
            a_booking_that_is_refused_is_not_there
            more_than_there_is_cannot_be_withdrawn
            credit_is_booked_beside_the_balance_and_each_is_found_as_what_it_is
            credit_whose_answer_is_lost_is_found_and_what_never_arrived_is_not
            a_ticket_is_found_with_whose_it_is
            an_account_is_set_to_what_the_platform_can_and_to_nothing_else
            the_accounts_of_groups_are_listed_to_the_last
            a_change_whose_answer_is_lost_is_made_again
            what_is_not_there_is_said_to_be_not_there
            what_moved_money_is_listed_with_whose_it_is
            closed_trades_are_read_once_each
            open_positions_are_seen
            a_server_that_is_away_has_done_nothing
            a_wrong_secret_has_done_nothing
        }
    };
}

pub(crate) use conforms;
