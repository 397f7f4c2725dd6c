//! Files as finance gets them, and as they arrive when something happened to them.

use domain::Money;
use proptest::prelude::*;

use super::*;

const PAYMENT: &str = "pay_01m83ydq50eg7vtp95tg713hkv";
const HEADER: &str = "reference,payment_id,type,currency,amount,fee,at";

fn generic(rows: &str) -> ReadFile {
    read(Vendor::Skrill, format!("{HEADER}\n{rows}").as_bytes()).unwrap()
}

fn told(file: &ReadFile) -> Vec<(u64, &str)> {
    file.refusals.iter().map(|refusal| (refusal.line, refusal.code.as_str())).collect()
}

fn amounts(file: &ReadFile) -> Vec<String> {
    file.rows.iter().map(|row| row.amount.to_string()).collect()
}

#[test]
fn stripes_own_columns_are_read() {
    let text = format!(
        "balance_transaction_id,created_utc,reporting_category,currency,gross,fee,net,source_id,payment_intent_id,payment_metadata[payment_id],refund_metadata[withdrawal_id]\n\
         txn_1,2026-11-23 10:15:30,charge,usd,1250.00,36.55,1213.45,ch_1,pi_1,{PAYMENT},\n\
         txn_2,2026-11-23 11:15:30,refund,usd,-250.00,0.00,-250.00,re_1,pi_1,{PAYMENT},pay_01m841v7b0eg7vtp95tg713hkw\n\
         txn_3,2026-11-23 12:00:00,payout,usd,-900.00,0.00,-900.00,po_1,,,\n\
         txn_4,2026-11-23 12:00:00,charge,jpy,2000.00,0.00,2000.00,ch_2,pi_2,,\n\
         txn_5,2026-11-23 12:00:00,mystery,usd,1.00,0.00,1.00,x,,,\n"
    );
    let file = read(Vendor::Stripe, text.as_bytes()).unwrap();
    assert_eq!((file.format, file.ignored), ("stripe", 1));
    assert_eq!(amounts(&file), ["1250.00 USD", "-250.00 USD", "2000 JPY"]);
    assert_eq!(file.rows[0].payment_id.as_ref().unwrap().as_str(), PAYMENT);
    assert_eq!(file.rows[1].payment_id.as_ref().unwrap().as_str(), "pay_01m841v7b0eg7vtp95tg713hkw");
    assert_eq!(file.rows[1].names, ["re_1", "pi_1"]);
    assert_eq!((file.rows[2].payment_id.as_ref(), file.rows[2].line), (None, 5));
    assert_eq!(told(&file), [(6, "unknown_type")]);
}

#[test]
fn what_a_payer_saw_goes_before_what_stripe_settles_in() {
    let text = format!(
        "balance_transaction_id,reporting_category,currency,gross,customer_facing_amount,customer_facing_currency,payment_metadata[payment_id]\n\
         txn_1,charge,usd,108.20,100.00,eur,{PAYMENT}\n\
         txn_2,charge,usd,50.00,,,{PAYMENT}\n"
    );
    let file = read(Vendor::Stripe, text.as_bytes()).unwrap();
    assert_eq!((amounts(&file), told(&file)), (vec!["100.00 EUR".to_owned(), "50.00 USD".to_owned()], vec![]));
}

#[test]
fn adyens_settlement_details_are_read() {
    let header = "Company Account,Merchant Account,Psp Reference,Merchant Reference,Payment Method,Creation Date,TimeZone,Type,Modification Reference,Gross Currency,Gross Debit (GC),Gross Credit (GC),Exchange Rate,Net Currency,Net Debit (NC),Net Credit (NC),Modification Merchant Reference";
    let text = format!(
        "{header}\r\nC,M,8825,{PAYMENT},visa,2026-11-23 10:15:30,CET,Settled,9915,EUR,,100.00,1,EUR,,98.10,\r\n\
         C,M,8825,{PAYMENT},visa,2026-11-23 10:15:30,CET,Refunded,9916,EUR,30.00,,1,EUR,30.00,,pay_01m841v7b0eg7vtp95tg713hkw\r\n\
         C,M,,,,2026-11-23 10:15:30,CET,Fee,Transaction Fees,EUR,,,,EUR,1.20,,\r\n"
    );
    let file = read(Vendor::Adyen, text.as_bytes()).unwrap();
    assert_eq!((file.format, file.ignored, told(&file)), ("adyen", 1, vec![]));
    assert_eq!(amounts(&file), ["100.00 EUR", "-30.00 EUR"]);
    assert_eq!((file.rows[0].reference.as_str(), file.rows[0].names.as_slice()), ("9915", &["8825".to_owned()][..]));
    assert_eq!(file.rows[1].payment_id.as_ref().unwrap().as_str(), "pay_01m841v7b0eg7vtp95tg713hkw");
}

#[test]
fn marks_line_ends_separators_and_quotes_are_read() {
    let plain = generic(&format!("a,{PAYMENT},payment,USD,10.50,,\nb,,refund,USD,1.00,0.10,2026-11-23T10:15:30Z\n"));
    assert_eq!(amounts(&plain), ["10.50 USD", "-1.00 USD"]);
    for text in [
        format!("\u{feff}{HEADER}\r\na,{PAYMENT},payment,usd,10.50,,\r\nb,,refund,USD,1.00,0.10,2026-11-23T10:15:30Z"),
        format!(
            "{}\na;{PAYMENT};payment;USD;10,50;;\nb;;refund;USD;1,00;0,10;2026-11-23T10:15:30Z\n",
            HEADER.replace(',', ";")
        ),
        format!(
            "\"reference\",\"payment_id\",\"type\",\"currency\",\"amount\",\"fee\",\"at\"\n\"a\",\"{PAYMENT}\",\"payment\",\"USD\",\"10.50\",\"\",\"\"\nb,,refund,USD,-1.00,0.10,2026-11-23T10:15:30Z\n"
        ),
    ] {
        let file = read(Vendor::Skrill, text.as_bytes()).unwrap();
        assert_eq!(file, plain, "{text}");
    }
    let quoted = generic(&format!("\"a \"\"quoted\"\", b\",{PAYMENT},payment,USD,1.00,,\n"));
    assert_eq!(quoted.rows[0].reference, "a \"quoted\", b");
}

#[test]
fn another_encoding_is_refused_as_that() {
    let text = format!("{HEADER}\na,,payment,USD,1.00,,\n");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe".as_slice(), &utf16].concat();
    assert_eq!(read(Vendor::Skrill, &marked), Err(FileError::Utf16));
    assert_eq!(read(Vendor::Skrill, &utf16), Err(FileError::Utf16));
    let latin = [text.as_bytes(), b"caf\xe9,,payment,USD,1.00,,\n"].concat();
    assert_eq!(read(Vendor::Skrill, &latin), Err(FileError::NotUtf8(3)));
    for (bytes, wanted) in [(b"".as_slice(), FileError::Empty), (b"\xef\xbb\xbf\r\n", FileError::Empty)] {
        assert_eq!(read(Vendor::Skrill, bytes), Err(wanted));
    }
    assert_eq!(read(Vendor::Praxis, b"a,b\n1,2\n"), Err(FileError::UnknownColumns("praxis".to_owned())));
    let twice = format!("{HEADER},amount\n");
    assert_eq!(read(Vendor::Skrill, twice.as_bytes()), Err(FileError::ColumnTwice("amount")));
}

#[test]
fn each_bad_line_is_refused_by_itself_with_its_number() {
    let rows = [
        format!("a,{PAYMENT},payment,USD,1.00,,"),
        "b,,payment,USD".to_owned(),
        "c,,gift,USD,1.00,,".to_owned(),
        "d,,payment,USX,1.00,,".to_owned(),
        "e,,payment,USD,1.005,,".to_owned(),
        "f,,payment,USD,\"1,000.00\",,".to_owned(),
        ",,payment,USD,1.00,,".to_owned(),
        "g,,payment,USD,0.00,,".to_owned(),
        "h,,payment,USD,1.00,,yesterday".to_owned(),
        format!("a,{PAYMENT},payment,USD,1.00,,"),
        "i,,payment,USD,1e3,,".to_owned(),
        "j,,fee,USD,,,".to_owned(),
        String::new(),
        "k,,payment,USD,2.00,,".to_owned(),
        format!("{},,payment,USD,2.00,,", "l".repeat(101)),
        "m\u{1}1,,payment,USD,2.00,,".to_owned(),
    ];
    let file = generic(&format!("{}\n", rows.join("\n")));
    assert_eq!((amounts(&file), file.ignored), (vec!["1.00 USD".to_owned(), "2.00 USD".to_owned()], 1));
    let wanted = [
        (3, "wrong_fields"),
        (4, "unknown_type"),
        (5, "unknown_currency"),
        (6, "bad_amount"),
        (7, "bad_amount"),
        (8, "missing_value"),
        (9, "bad_amount"),
        (10, "bad_time"),
        (11, "duplicate_row"),
        (12, "bad_amount"),
        (16, "bad_reference"),
        (17, "bad_reference"),
    ];
    assert_eq!(told(&file), wanted);
    assert_eq!(file.rows[1].line, 15);
    assert!(file.refusals.iter().all(|refusal| !refusal.message.contains("yesterday")), "nothing of a row is quoted");
}

#[test]
fn a_last_line_that_is_cut_is_told() {
    for cut in ["b,,payment,US", "b,,payment,USD,\"2.0"] {
        let file = generic(&format!("a,,payment,USD,1.00,,\n{cut}"));
        assert_eq!((amounts(&file), told(&file)), (vec!["1.00 USD".to_owned()], vec![(3, "truncated")]), "{cut}");
    }
    let whole = generic("a,,payment,USD,1.00,,\nb,,payment,USD,2.00,,");
    assert_eq!((whole.rows.len(), told(&whole)), (2, vec![]));
}

#[test]
fn a_file_may_be_long_and_not_endless() {
    let line = |n: usize| format!("r{n},,payment,USD,1.00,,\n");
    let text: String = (0..LINES_MAX).map(line).collect();
    assert_eq!(generic(&text).rows.len(), LINES_MAX);
    let more = format!("{HEADER}\n{text}{}", line(LINES_MAX));
    assert_eq!(read(Vendor::Skrill, more.as_bytes()), Err(FileError::TooLong));
}

proptest! {
    #[test]
    fn whatever_is_uploaded_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(file) = read(Vendor::Stripe, &bytes) {
            prop_assert_eq!(file.format, "generic");
        }
        if let Ok(file) = read(Vendor::Skrill, &[HEADER.as_bytes(), b"\n", &bytes].concat()) {
            prop_assert!(file.rows.iter().all(|row| row.line > 1 && !row.amount.amount().is_zero()));
        }
    }

    #[test]
    fn an_amount_is_what_stands_there(minor in 1_i64..=999_999_999, comma: bool) {
        let money = Money::from_minor(minor, "EUR".parse().unwrap()).unwrap();
        let (header, amount, mark) = if comma {
            (HEADER.replace(',', ";"), money.amount_text().replace('.', ","), ";")
        } else {
            (HEADER.to_owned(), money.amount_text(), ",")
        };
        let row = ["a", "", "payment", "EUR", amount.as_str(), "", ""].join(mark);
        let file = read(Vendor::Skrill, format!("{header}\n{row}\n").as_bytes()).unwrap();
        prop_assert_eq!(file.rows[0].amount, money);
    }
}
