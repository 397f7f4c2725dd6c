//! The file that a bank is given: `pain.001.001.09`. Its bytes follow from the run alone, so that it is the same however often it is asked
//! for; the run keeps their hash from its approval on.

use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};

use super::payee::Payee;
use super::rules::Debtor;
use crate::{Currency, Money, PayoutId, PayoutRunId, Timestamp};

/// Longest name that SEPA takes.
const NAME_MAX: usize = 70;
/// Longest remittance text.
const TEXT_MAX: usize = 140;

/// One payment of the file.
#[derive(Debug, Clone)]
pub struct Transfer<'a> {
    /// The payout, by which the bank's answers name it.
    pub id: PayoutId,
    /// How much.
    pub amount: Money,
    /// To whom; a bank account.
    pub payee: &'a Payee,
    /// What it is for.
    pub text: String,
}

/// A run as the bank is told of it.
#[derive(Debug, Clone)]
pub struct BankFile<'a> {
    /// The run.
    pub run: &'a PayoutRunId,
    /// When it was approved.
    pub made_at: Timestamp,
    /// Our own account.
    pub debtor: &'a Debtor,
    /// Of all payments.
    pub currency: Currency,
    /// The payments.
    pub transfers: Vec<Transfer<'a>>,
}

/// The number of the file: the run's, in characters that banks take.
pub fn message_id(run: &PayoutRunId) -> String {
    run.as_str().replace('_', "-")
}

/// What a bank takes: `a-z A-Z 0-9 / - ? : ( ) . , ' +` and the space. Letters with a mark lose it, anything else is a dot.
pub fn clean(text: &str, chars_max: usize) -> String {
    let mut clean = String::new();
    for letter in text.chars() {
        match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '/' | '-' | '?' | ':' | '(' | ')' | '.' | ',' | '\'' | '+' | ' ' => {
                clean.push(letter);
            }
            _ => clean.push_str(plain(letter)),
        }
    }
    clean.chars().take(chars_max).collect::<String>().trim().to_owned()
}

fn plain(letter: char) -> &'static str {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'À' | 'Á' | 'Â' | 'Ã' | 'Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'Ä' | 'Æ' => "Ae",
        'ç' | 'ć' | 'č' => "c",
        'Ç' | 'Ć' | 'Č' => "C",
        'ď' | 'đ' | 'ð' => "d",
        'Ď' | 'Đ' | 'Ð' => "D",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => "E",
        'ğ' | 'ģ' => "g",
        'Ğ' | 'Ģ' => "G",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ī' | 'Į' | 'İ' => "I",
        'ł' | 'ľ' | 'ļ' => "l",
        'Ł' | 'Ľ' | 'Ļ' => "L",
        'ñ' | 'ń' | 'ň' => "n",
        'Ñ' | 'Ń' | 'Ň' => "N",
        'ò' | 'ó' | 'ô' | 'õ' | 'ő' | 'ø' => "o",
        'ö' | 'œ' => "oe",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ő' | 'Ø' => "O",
        'Ö' | 'Œ' => "Oe",
        'ř' => "r",
        'Ř' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ß' => "ss",
        'ť' | 'ţ' | 'ț' => "t",
        'Ť' | 'Ţ' | 'Ț' => "T",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ü' => "ue",
        'Ù' | 'Ú' | 'Û' | 'Ū' | 'Ů' | 'Ű' | 'Ų' => "U",
        'Ü' => "Ue",
        'ý' | 'ÿ' => "y",
        'Ý' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _ => ".",
    }
}

fn escaped(text: &str) -> String {
    // of what XML would take for its own, only the apostrophe is left in what banks take
    text.replace('\'', "&apos;")
}

fn agent(bic: Option<&str>) -> String {
    match bic {
        Some(bic) => format!("<FinInstnId><BICFI>{bic}</BICFI></FinInstnId>"),
        None => "<FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId>".to_owned(),
    }
}

impl BankFile<'_> {
    /// The file.
    pub fn xml(&self) -> String {
        let id = message_id(self.run);
        let sum: Decimal = self.transfers.iter().map(|transfer| transfer.amount.amount()).sum();
        let count = self.transfers.len();
        let (moment, day) = (self.made_at.to_string(), self.made_at.day());
        let name = escaped(&clean(&self.debtor.name, NAME_MAX));
        let is_sepa = self.currency.code() == "EUR";
        let level = if is_sepa { "<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf>" } else { "" };
        let charges = if is_sepa { "SLEV" } else { "SHAR" };
        let mut xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">\n\
             <CstmrCdtTrfInitn>\n<GrpHdr><MsgId>{id}</MsgId><CreDtTm>{moment}</CreDtTm><NbOfTxs>{count}</NbOfTxs>\
             <CtrlSum>{sum}</CtrlSum><InitgPty><Nm>{name}</Nm></InitgPty></GrpHdr>\n<PmtInf><PmtInfId>{id}-1</PmtInfId>\
             <PmtMtd>TRF</PmtMtd><BtchBookg>false</BtchBookg><NbOfTxs>{count}</NbOfTxs><CtrlSum>{sum}</CtrlSum>{level}\
             <ReqdExctnDt><Dt>{day}</Dt></ReqdExctnDt><Dbtr><Nm>{name}</Nm></Dbtr><DbtrAcct><Id><IBAN>{iban}</IBAN></Id>\
             </DbtrAcct><DbtrAgt>{agent}</DbtrAgt><ChrgBr>{charges}</ChrgBr>\n",
            iban = self.debtor.iban,
            agent = agent(self.debtor.bic.as_deref()),
        );
        for transfer in &self.transfers {
            write_transfer(&mut xml, transfer);
        }
        xml.push_str("</PmtInf>\n</CstmrCdtTrfInitn>\n</Document>\n");
        xml
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.xml()))
    }
}

fn write_transfer(xml: &mut String, transfer: &Transfer<'_>) {
    // whoever is paid otherwise stands in no file
    let Payee::Bank { name, iban, bic } = transfer.payee else { return };
    let id = transfer.id.end_to_end();
    let bank = bic.as_deref().map(|bic| format!("<CdtrAgt>{}</CdtrAgt>", agent(Some(bic)))).unwrap_or_default();
    let written = format!(
        "<CdtTrfTxInf><PmtId><InstrId>{id}</InstrId><EndToEndId>{id}</EndToEndId></PmtId><Amt><InstdAmt Ccy=\"{currency}\">\
         {amount}</InstdAmt></Amt>{bank}<Cdtr><Nm>{name}</Nm></Cdtr><CdtrAcct><Id><IBAN>{iban}</IBAN></Id></CdtrAcct><RmtInf>\
         <Ustrd>{text}</Ustrd></RmtInf></CdtTrfTxInf>\n",
        currency = transfer.amount.currency().code(),
        amount = transfer.amount.amount_text(),
        name = escaped(&clean(name, NAME_MAX)),
        text = escaped(&clean(&transfer.text, TEXT_MAX)),
    );
    xml.push_str(&written);
}
