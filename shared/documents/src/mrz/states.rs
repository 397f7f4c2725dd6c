//! Issuing states and nationalities: ISO 3166-1 alpha-3 with the additions of 9303 part 3, section 5.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The three-letter codes of states with their two-letter codes.
const ISO: &str = "ABW=AW AFG=AF AGO=AO AIA=AI ALA=AX ALB=AL AND=AD ARE=AE ARG=AR ARM=AM ASM=AS ATA=AQ ATF=TF ATG=AG AUS=AU AUT=AT AZE=AZ \
BDI=BI BEL=BE BEN=BJ BES=BQ BFA=BF BGD=BD BGR=BG BHR=BH BHS=BS BIH=BA BLM=BL BLR=BY BLZ=BZ BMU=BM BOL=BO BRA=BR BRB=BB BRN=BN BTN=BT \
BVT=BV BWA=BW CAF=CF CAN=CA CCK=CC CHE=CH CHL=CL CHN=CN CIV=CI CMR=CM COD=CD COG=CG COK=CK COL=CO COM=KM CPV=CV CRI=CR CUB=CU CUW=CW \
CXR=CX CYM=KY CYP=CY CZE=CZ DJI=DJ DMA=DM DNK=DK DOM=DO DZA=DZ ECU=EC EGY=EG ERI=ER ESH=EH ESP=ES EST=EE ETH=ET FIN=FI FJI=FJ FLK=FK \
FRA=FR FRO=FO FSM=FM GAB=GA GBR=GB GEO=GE GGY=GG GHA=GH GIB=GI GIN=GN GLP=GP GMB=GM GNB=GW GNQ=GQ GRC=GR GRD=GD GRL=GL GTM=GT GUF=GF \
GUM=GU GUY=GY HKG=HK HMD=HM HND=HN HRV=HR HTI=HT HUN=HU IDN=ID IMN=IM IND=IN IOT=IO IRL=IE IRN=IR IRQ=IQ ISL=IS ISR=IL ITA=IT JAM=JM \
JEY=JE JOR=JO JPN=JP KAZ=KZ KEN=KE KGZ=KG KHM=KH KIR=KI KNA=KN KOR=KR KWT=KW LAO=LA LBN=LB LBR=LR LBY=LY LCA=LC LIE=LI LKA=LK LSO=LS \
LTU=LT LUX=LU LVA=LV MAC=MO MAF=MF MAR=MA MCO=MC MDA=MD MDG=MG MDV=MV MEX=MX MHL=MH MKD=MK MLI=ML MLT=MT MMR=MM MNE=ME MNG=MN MNP=MP \
MOZ=MZ MRT=MR MSR=MS MTQ=MQ MUS=MU MWI=MW MYS=MY MYT=YT NAM=NA NCL=NC NER=NE NFK=NF NGA=NG NIC=NI NIU=NU NLD=NL NOR=NO NPL=NP NRU=NR \
NZL=NZ OMN=OM PAK=PK PAN=PA PCN=PN PER=PE PHL=PH PLW=PW PNG=PG POL=PL PRI=PR PRK=KP PRT=PT PRY=PY PSE=PS PYF=PF QAT=QA REU=RE ROU=RO \
RUS=RU RWA=RW SAU=SA SDN=SD SEN=SN SGP=SG SGS=GS SHN=SH SJM=SJ SLB=SB SLE=SL SLV=SV SMR=SM SOM=SO SPM=PM SRB=RS SSD=SS STP=ST SUR=SR \
SVK=SK SVN=SI SWE=SE SWZ=SZ SXM=SX SYC=SC SYR=SY TCA=TC TCD=TD TGO=TG THA=TH TJK=TJ TKL=TK TKM=TM TLS=TL TON=TO TTO=TT TUN=TN TUR=TR \
TUV=TV TWN=TW TZA=TZ UGA=UG UKR=UA UMI=UM URY=UY USA=US UZB=UZ VAT=VA VCT=VC VEN=VE VGB=VG VIR=VI VNM=VN VUT=VU WLF=WF WSM=WS YEM=YE \
ZAF=ZA ZMB=ZM ZWE=ZW";

/// Codes that documents bear and ISO 3166-1 does not have, with the state where it is one. Without one: the European Union, the
/// United Nations, the Order of Malta, refugees, stateless and unspecified persons and so on.
const OTHERS: &str = "D=DE DEU=DE RKS=XK GBD=GB GBN=GB GBO=GB GBP=GB GBS=GB ROM=RO ZAR=CD EUE= UNO= UNA= UNK= XAA= XBA= XIM= XCC= XCE= XCO= XDC= \
XEC= XES= XMP= XOM= XPO= XXA= XXB= XXC= XXX= UTO= IAO= NTZ=";

/// A state or organisation as a zone names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    code: &'static str,
    country: Option<&'static str>,
}

impl State {
    /// The state of a code as it stands in a zone, fillers included or not.
    pub fn from_code(code: &str) -> Option<Self> {
        let bare = code.trim_end_matches('<');
        [ISO, OTHERS].iter().flat_map(|table| table.split(' ')).find_map(|entry| {
            let (code, country) = entry.split_once('=')?;
            (code == bare).then_some(Self { code, country: Some(country).filter(|country| !country.is_empty()) })
        })
    }

    /// The state of a country, by its ISO 3166-1 alpha-2 code.
    pub fn of_country(country: &str) -> Option<Self> {
        let entries = ISO.split(' ').chain(["D=DE", "RKS=XK"]).filter_map(|entry| entry.split_once('='));
        let mut codes = entries.filter(|(_, of)| *of == country).map(|(code, _)| code);
        codes.next().and_then(Self::from_code)
    }

    /// The code of the zone, without fillers.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// The ISO 3166-1 alpha-2 code of the country (`XK` for Kosovo); none for organisations and for persons without nationality.
    pub fn country(self) -> Option<&'static str> {
        self.country
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

// not derived: the derive would borrow from the input
impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).ok_or_else(|| serde::de::Error::custom("is no code of a state"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_one_code_and_every_code_one_entry() {
        for country in domain::Country::all_codes() {
            let state = State::of_country(country).unwrap();
            assert_eq!(state.country(), Some(country));
            assert_eq!(State::from_code(state.code()), Some(state));
        }
        let mut codes: Vec<&str> = [ISO, OTHERS].iter().flat_map(|table| table.split(' ')).collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup_by_key(|entry| entry.split_once('=').unwrap().0);
        assert_eq!((codes.len(), ISO.split(' ').count()), (count, 248), "Germany is among the others");
        assert_eq!(State::of_country("DE").unwrap().code(), "D");
    }

    #[test]
    fn codes_that_are_none_are_not_known() {
        for code in ["", "<<<", "EBR", "ZZZ", "DE", "D<D", "gbr", "GB<"] {
            assert_eq!(State::from_code(code), None, "{code}");
        }
        assert_eq!(State::from_code("D<<").unwrap().code(), "D");
    }
}
