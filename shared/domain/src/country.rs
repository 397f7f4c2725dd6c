//! Countries: ISO 3166-1 alpha-2.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The officially assigned codes, sorted.
const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG \
GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ \
LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR \
NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ \
TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// The member states of the European Union.
const EU: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

/// The time zone of each country; of the largest part of its people where it has several.
const ZONES: &str = "AD=Europe/Andorra AE=Asia/Dubai AF=Asia/Kabul AG=America/Antigua AI=America/Anguilla AL=Europe/Tirane AM=Asia/Yerevan \
AO=Africa/Luanda AQ=Antarctica/McMurdo AR=America/Argentina/Buenos_Aires AS=Pacific/Pago_Pago AT=Europe/Vienna AU=Australia/Sydney \
AW=America/Aruba AX=Europe/Mariehamn AZ=Asia/Baku BA=Europe/Sarajevo BB=America/Barbados BD=Asia/Dhaka BE=Europe/Brussels \
BF=Africa/Ouagadougou BG=Europe/Sofia BH=Asia/Bahrain BI=Africa/Bujumbura BJ=Africa/Porto-Novo BL=America/St_Barthelemy \
BM=Atlantic/Bermuda BN=Asia/Brunei BO=America/La_Paz BQ=America/Kralendijk BR=America/Sao_Paulo BS=America/Nassau BT=Asia/Thimphu \
BV=Europe/Oslo BW=Africa/Gaborone BY=Europe/Minsk BZ=America/Belize CA=America/Toronto CC=Indian/Cocos CD=Africa/Kinshasa \
CF=Africa/Bangui CG=Africa/Brazzaville CH=Europe/Zurich CI=Africa/Abidjan CK=Pacific/Rarotonga CL=America/Santiago \
CM=Africa/Douala CN=Asia/Shanghai CO=America/Bogota CR=America/Costa_Rica CU=America/Havana CV=Atlantic/Cape_Verde \
CW=America/Curacao CX=Indian/Christmas CY=Asia/Nicosia CZ=Europe/Prague DE=Europe/Berlin DJ=Africa/Djibouti DK=Europe/Copenhagen \
DM=America/Dominica DO=America/Santo_Domingo DZ=Africa/Algiers EC=America/Guayaquil EE=Europe/Tallinn EG=Africa/Cairo \
EH=Africa/El_Aaiun ER=Africa/Asmara ES=Europe/Madrid ET=Africa/Addis_Ababa FI=Europe/Helsinki FJ=Pacific/Fiji FK=Atlantic/Stanley \
FM=Pacific/Pohnpei FO=Atlantic/Faroe FR=Europe/Paris GA=Africa/Libreville GB=Europe/London GD=America/Grenada GE=Asia/Tbilisi \
GF=America/Cayenne GG=Europe/Guernsey GH=Africa/Accra GI=Europe/Gibraltar GL=America/Nuuk GM=Africa/Banjul GN=Africa/Conakry \
GP=America/Guadeloupe GQ=Africa/Malabo GR=Europe/Athens GS=Atlantic/South_Georgia GT=America/Guatemala GU=Pacific/Guam \
GW=Africa/Bissau GY=America/Guyana HK=Asia/Hong_Kong HM=Indian/Kerguelen HN=America/Tegucigalpa HR=Europe/Zagreb \
HT=America/Port-au-Prince HU=Europe/Budapest ID=Asia/Jakarta IE=Europe/Dublin IL=Asia/Jerusalem IM=Europe/Isle_of_Man \
IN=Asia/Kolkata IO=Indian/Chagos IQ=Asia/Baghdad IR=Asia/Tehran IS=Atlantic/Reykjavik IT=Europe/Rome JE=Europe/Jersey \
JM=America/Jamaica JO=Asia/Amman JP=Asia/Tokyo KE=Africa/Nairobi KG=Asia/Bishkek KH=Asia/Phnom_Penh KI=Pacific/Tarawa \
KM=Indian/Comoro KN=America/St_Kitts KP=Asia/Pyongyang KR=Asia/Seoul KW=Asia/Kuwait KY=America/Cayman KZ=Asia/Almaty \
LA=Asia/Vientiane LB=Asia/Beirut LC=America/St_Lucia LI=Europe/Vaduz LK=Asia/Colombo LR=Africa/Monrovia LS=Africa/Maseru \
LT=Europe/Vilnius LU=Europe/Luxembourg LV=Europe/Riga LY=Africa/Tripoli MA=Africa/Casablanca MC=Europe/Monaco MD=Europe/Chisinau \
ME=Europe/Podgorica MF=America/Marigot MG=Indian/Antananarivo MH=Pacific/Majuro MK=Europe/Skopje ML=Africa/Bamako MM=Asia/Yangon \
MN=Asia/Ulaanbaatar MO=Asia/Macau MP=Pacific/Saipan MQ=America/Martinique MR=Africa/Nouakchott MS=America/Montserrat \
MT=Europe/Malta MU=Indian/Mauritius MV=Indian/Maldives MW=Africa/Blantyre MX=America/Mexico_City MY=Asia/Kuala_Lumpur \
MZ=Africa/Maputo NA=Africa/Windhoek NC=Pacific/Noumea NE=Africa/Niamey NF=Pacific/Norfolk NG=Africa/Lagos NI=America/Managua \
NL=Europe/Amsterdam NO=Europe/Oslo NP=Asia/Kathmandu NR=Pacific/Nauru NU=Pacific/Niue NZ=Pacific/Auckland OM=Asia/Muscat \
PA=America/Panama PE=America/Lima PF=Pacific/Tahiti PG=Pacific/Port_Moresby PH=Asia/Manila PK=Asia/Karachi PL=Europe/Warsaw \
PM=America/Miquelon PN=Pacific/Pitcairn PR=America/Puerto_Rico PS=Asia/Hebron PT=Europe/Lisbon PW=Pacific/Palau \
PY=America/Asuncion QA=Asia/Qatar RE=Indian/Reunion RO=Europe/Bucharest RS=Europe/Belgrade RU=Europe/Moscow RW=Africa/Kigali \
SA=Asia/Riyadh SB=Pacific/Guadalcanal SC=Indian/Mahe SD=Africa/Khartoum SE=Europe/Stockholm SG=Asia/Singapore \
SH=Atlantic/St_Helena SI=Europe/Ljubljana SJ=Arctic/Longyearbyen SK=Europe/Bratislava SL=Africa/Freetown SM=Europe/San_Marino \
SN=Africa/Dakar SO=Africa/Mogadishu SR=America/Paramaribo SS=Africa/Juba ST=Africa/Sao_Tome SV=America/El_Salvador \
SX=America/Lower_Princes SY=Asia/Damascus SZ=Africa/Mbabane TC=America/Grand_Turk TD=Africa/Ndjamena TF=Indian/Kerguelen \
TG=Africa/Lome TH=Asia/Bangkok TJ=Asia/Dushanbe TK=Pacific/Fakaofo TL=Asia/Dili TM=Asia/Ashgabat TN=Africa/Tunis \
TO=Pacific/Tongatapu TR=Europe/Istanbul TT=America/Port_of_Spain TV=Pacific/Funafuti TW=Asia/Taipei TZ=Africa/Dar_es_Salaam \
UA=Europe/Kyiv UG=Africa/Kampala UM=Pacific/Wake US=America/New_York UY=America/Montevideo UZ=Asia/Tashkent VA=Europe/Vatican \
VC=America/St_Vincent VE=America/Caracas VG=America/Tortola VI=America/St_Thomas VN=Asia/Ho_Chi_Minh VU=Pacific/Efate \
WF=Pacific/Wallis WS=Pacific/Apia YE=Asia/Aden YT=Indian/Mayotte ZA=Africa/Johannesburg ZM=Africa/Lusaka ZW=Africa/Harare";

/// The number that ISO 3166-1 gives each country: what interfaces that know no letters write.
const NUMBERS: &str = "AD=020 AE=784 AF=004 AG=028 AI=660 AL=008 AM=051 AO=024 AQ=010 AR=032 AS=016 AT=040 AU=036 AW=533 AX=248 AZ=031 BA=070 BB=052 \
BD=050 BE=056 BF=854 BG=100 BH=048 BI=108 BJ=204 BL=652 BM=060 BN=096 BO=068 BQ=535 BR=076 BS=044 BT=064 BV=074 BW=072 BY=112 \
BZ=084 CA=124 CC=166 CD=180 CF=140 CG=178 CH=756 CI=384 CK=184 CL=152 CM=120 CN=156 CO=170 CR=188 CU=192 CV=132 CW=531 CX=162 \
CY=196 CZ=203 DE=276 DJ=262 DK=208 DM=212 DO=214 DZ=012 EC=218 EE=233 EG=818 EH=732 ER=232 ES=724 ET=231 FI=246 FJ=242 FK=238 \
FM=583 FO=234 FR=250 GA=266 GB=826 GD=308 GE=268 GF=254 GG=831 GH=288 GI=292 GL=304 GM=270 GN=324 GP=312 GQ=226 GR=300 GS=239 \
GT=320 GU=316 GW=624 GY=328 HK=344 HM=334 HN=340 HR=191 HT=332 HU=348 ID=360 IE=372 IL=376 IM=833 IN=356 IO=086 IQ=368 IR=364 \
IS=352 IT=380 JE=832 JM=388 JO=400 JP=392 KE=404 KG=417 KH=116 KI=296 KM=174 KN=659 KP=408 KR=410 KW=414 KY=136 KZ=398 LA=418 \
LB=422 LC=662 LI=438 LK=144 LR=430 LS=426 LT=440 LU=442 LV=428 LY=434 MA=504 MC=492 MD=498 ME=499 MF=663 MG=450 MH=584 MK=807 \
ML=466 MM=104 MN=496 MO=446 MP=580 MQ=474 MR=478 MS=500 MT=470 MU=480 MV=462 MW=454 MX=484 MY=458 MZ=508 NA=516 NC=540 NE=562 \
NF=574 NG=566 NI=558 NL=528 NO=578 NP=524 NR=520 NU=570 NZ=554 OM=512 PA=591 PE=604 PF=258 PG=598 PH=608 PK=586 PL=616 PM=666 \
PN=612 PR=630 PS=275 PT=620 PW=585 PY=600 QA=634 RE=638 RO=642 RS=688 RU=643 RW=646 SA=682 SB=090 SC=690 SD=729 SE=752 SG=702 \
SH=654 SI=705 SJ=744 SK=703 SL=694 SM=674 SN=686 SO=706 SR=740 SS=728 ST=678 SV=222 SX=534 SY=760 SZ=748 TC=796 TD=148 TF=260 \
TG=768 TH=764 TJ=762 TK=772 TL=626 TM=795 TN=788 TO=776 TR=792 TT=780 TV=798 TW=158 TZ=834 UA=804 UG=800 UM=581 US=840 UY=858 \
UZ=860 VA=336 VC=670 VE=862 VG=092 VI=850 VN=704 VU=548 WF=876 WS=882 YE=887 YT=175 ZA=710 ZM=894 ZW=716";

/// The countries by their English names, and by other names that forms use.
const NAMES: &str = "AD=Andorra;AE=United Arab Emirates;AF=Afghanistan;AG=Antigua and \
Barbuda;AI=Anguilla;AL=Albania;AM=Armenia;AO=Angola;AQ=Antarctica;AR=Argentina;AS=American \
Samoa;AT=Austria;AU=Australia;AW=Aruba;AX=Aland Islands;AZ=Azerbaijan;BA=Bosnia and \
Herzegovina;BB=Barbados;BD=Bangladesh;BE=Belgium;BF=Burkina Faso;BG=Bulgaria;BH=Bahrain;BI=Burundi;BJ=Benin;BL=Saint \
Barthelemy;BM=Bermuda;BN=Brunei;BO=Bolivia;BQ=Caribbean Netherlands;BR=Brazil;BS=Bahamas;BT=Bhutan;BV=Bouvet \
Island;BW=Botswana;BY=Belarus;BZ=Belize;CA=Canada;CC=Cocos Islands;CD=Democratic Republic of the Congo;CF=Central African \
Republic;CG=Republic of the Congo;CH=Switzerland;CI=Ivory Coast;CK=Cook Islands;CL=Chile;CM=Cameroon;CN=China;CO=Colombia;CR=Costa \
Rica;CU=Cuba;CV=Cape Verde;CW=Curacao;CX=Christmas Island;CY=Cyprus;CZ=Czech \
Republic;DE=Germany;DJ=Djibouti;DK=Denmark;DM=Dominica;DO=Dominican Republic;DZ=Algeria;EC=Ecuador;EE=Estonia;EG=Egypt;EH=Western \
Sahara;ER=Eritrea;ES=Spain;ET=Ethiopia;FI=Finland;FJ=Fiji;FK=Falkland Islands;FM=Micronesia;FO=Faroe \
Islands;FR=France;GA=Gabon;GB=United Kingdom;GD=Grenada;GE=Georgia;GF=French \
Guiana;GG=Guernsey;GH=Ghana;GI=Gibraltar;GL=Greenland;GM=Gambia;GN=Guinea;GP=Guadeloupe;GQ=Equatorial Guinea;GR=Greece;GS=South \
Georgia;GT=Guatemala;GU=Guam;GW=Guinea-Bissau;GY=Guyana;HK=Hong Kong;HM=Heard \
Island;HN=Honduras;HR=Croatia;HT=Haiti;HU=Hungary;ID=Indonesia;IE=Ireland;IL=Israel;IM=Isle of Man;IN=India;IO=British Indian \
Ocean \
Territory;IQ=Iraq;IR=Iran;IS=Iceland;IT=Italy;JE=Jersey;JM=Jamaica;JO=Jordan;JP=Japan;KE=Kenya;KG=Kyrgyzstan;KH=Cambodia;KI=Kiribati;KM=Comoros;KN=Saint \
Kitts and Nevis;KP=North Korea;KR=South Korea;KW=Kuwait;KY=Cayman Islands;KZ=Kazakhstan;LA=Laos;LB=Lebanon;LC=Saint \
Lucia;LI=Liechtenstein;LK=Sri \
Lanka;LR=Liberia;LS=Lesotho;LT=Lithuania;LU=Luxembourg;LV=Latvia;LY=Libya;MA=Morocco;MC=Monaco;MD=Moldova;ME=Montenegro;MF=Saint \
Martin;MG=Madagascar;MH=Marshall Islands;MK=North Macedonia;ML=Mali;MM=Myanmar;MN=Mongolia;MO=Macau;MP=Northern Mariana \
Islands;MQ=Martinique;MR=Mauritania;MS=Montserrat;MT=Malta;MU=Mauritius;MV=Maldives;MW=Malawi;MX=Mexico;MY=Malaysia;MZ=Mozambique;NA=Namibia;NC=New \
Caledonia;NE=Niger;NF=Norfolk Island;NG=Nigeria;NI=Nicaragua;NL=Netherlands;NO=Norway;NP=Nepal;NR=Nauru;NU=Niue;NZ=New \
Zealand;OM=Oman;PA=Panama;PE=Peru;PF=French Polynesia;PG=Papua New Guinea;PH=Philippines;PK=Pakistan;PL=Poland;PM=Saint Pierre and \
Miquelon;PN=Pitcairn;PR=Puerto \
Rico;PS=Palestine;PT=Portugal;PW=Palau;PY=Paraguay;QA=Qatar;RE=Reunion;RO=Romania;RS=Serbia;RU=Russia;RW=Rwanda;SA=Saudi \
Arabia;SB=Solomon Islands;SC=Seychelles;SD=Sudan;SE=Sweden;SG=Singapore;SH=Saint \
Helena;SI=Slovenia;SJ=Svalbard;SK=Slovakia;SL=Sierra Leone;SM=San Marino;SN=Senegal;SO=Somalia;SR=Suriname;SS=South Sudan;ST=Sao \
Tome and Principe;SV=El Salvador;SX=Sint Maarten;SY=Syria;SZ=Eswatini;TC=Turks and Caicos Islands;TD=Chad;TF=French Southern \
Territories;TG=Togo;TH=Thailand;TJ=Tajikistan;TK=Tokelau;TL=Timor-Leste;TM=Turkmenistan;TN=Tunisia;TO=Tonga;TR=Turkey;TT=Trinidad \
and Tobago;TV=Tuvalu;TW=Taiwan;TZ=Tanzania;UA=Ukraine;UG=Uganda;UM=US Outlying Islands;US=United \
States;UY=Uruguay;UZ=Uzbekistan;VA=Vatican City;VC=Saint Vincent and the Grenadines;VE=Venezuela;VG=British Virgin Islands;VI=US \
Virgin Islands;VN=Vietnam;VU=Vanuatu;WF=Wallis and Futuna;WS=Samoa;YE=Yemen;YT=Mayotte;ZA=South \
Africa;ZM=Zambia;ZW=Zimbabwe;US=USA;US=United States of America;GB=UK;GB=Great \
Britain;AE=UAE;CZ=Czechia;TR=Turkiye;KR=Korea;RU=Russian Federation;CI=Cote d'Ivoire;VN=Viet Nam;MO=Macao;HK=Hong Kong SAR";

/// The countries by their names in their own languages and in those that forms are written in, lower case; a line a country.
/// From the Unicode CLDR (licence Unicode-3.0), without names that two countries have.
const NAMES_ELSEWHERE: &str = include_str!("country/names.txt");

/// A country by its ISO 3166-1 alpha-2 code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(&'static str);

/// Why a text is not a country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 3166-1 alpha-2 country code")]
pub struct CountryError;

impl Country {
    /// The two-letter code.
    pub fn code(&self) -> &'static str {
        self.0
    }

    /// The codes of all countries, in order.
    pub fn all_codes() -> impl Iterator<Item = &'static str> {
        CODES.split(' ')
    }

    /// The time zone of its people, or of most of them.
    pub fn zone(&self) -> Option<crate::Zone> {
        ZONES
            .split(' ')
            .find_map(|entry| entry.strip_prefix(self.0)?.strip_prefix('='))
            .and_then(|name| name.parse().ok())
    }

    /// Its number in ISO 3166-1.
    pub fn number(&self) -> Option<u16> {
        let number = NUMBERS.split(' ').find_map(|entry| entry.strip_prefix(self.0)?.strip_prefix('='))?;
        number.parse().ok()
    }

    /// Whether it is a member state of the European Union.
    pub fn in_eu(&self) -> bool {
        EU.split(' ').any(|code| code == self.0)
    }
}

/// A country as a form may name it: by its code, or by its name in English, in its own language or in that of the form, in any
/// letter case.
pub fn by_code_or_name(text: &str) -> Option<Country> {
    let text = text.trim();
    let named = || {
        let entry = NAMES.split(';').filter_map(|entry| entry.split_once('='));
        entry.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).and_then(|(code, _)| code.parse().ok())
    };
    let named_elsewhere = || {
        let text = text.to_lowercase();
        let lines = NAMES_ELSEWHERE.lines().filter_map(|line| line.split_once('='));
        let mut of = lines.filter(|(_, names)| names.split(';').any(|name| name == text)).map(|(code, _)| code);
        of.next().and_then(|code| code.parse().ok())
    };
    text.to_uppercase().parse().ok().or_else(named).or_else(named_elsewhere)
}

impl FromStr for Country {
    type Err = CountryError;

    fn from_str(text: &str) -> Result<Self, CountryError> {
        CODES.split(' ').find(|code| *code == text).map(Self).ok_or(CountryError)
    }
}

// not derived: the derive would borrow from the input because of the `&'static str` inside
impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_time_zone_and_a_name() {
        for code in CODES.split(' ') {
            let names: Vec<_> = NAMES.split(';').filter_map(|entry| entry.split_once('=')).collect();
            let (_, name) = names.iter().find(|(named, _)| *named == code).unwrap();
            assert_eq!(by_code_or_name(&format!(" {} ", name.to_uppercase())).unwrap().code(), code);
            assert_eq!(by_code_or_name(&code.to_lowercase()).unwrap().code(), code);
            assert!(code.parse::<Country>().unwrap().zone().is_some(), "{code}");
        }
        assert_eq!("MX".parse::<Country>().unwrap().zone().unwrap().name(), "America/Mexico_City");
    }

    #[test]
    fn a_country_is_known_in_its_own_language_and_in_that_of_the_form() {
        for (name, code) in [
            ("México", "MX"),
            ("mexico", "MX"),
            ("DEUTSCHLAND", "DE"),
            ("Alemania", "DE"),
            ("España", "ES"),
            ("Brasil", "BR"),
            ("الإمارات العربية المتحدة", "AE"),
            ("مصر", "EG"),
            ("भारत", "IN"),
            ("中国", "CN"),
            ("台灣", "TW"),
            ("日本", "JP"),
            ("Россия", "RU"),
            ("Ελλάδα", "GR"),
            ("Türkiye", "TR"),
            ("Polska", "PL"),
            ("Estados Unidos", "US"),
            ("Österreich", "AT"),
        ] {
            assert_eq!(by_code_or_name(name).map(|country| country.code()), Some(code), "{name}");
        }
        let mut seen = std::collections::BTreeMap::new();
        for (code, names) in NAMES_ELSEWHERE.lines().filter_map(|line| line.split_once('=')) {
            code.parse::<Country>().unwrap();
            for name in names.split(';').filter(|name| !name.is_empty()) {
                assert_eq!(seen.insert(name, code), None, "{name} is one country");
                assert_eq!(by_code_or_name(name).unwrap().code(), code, "{name}");
            }
        }
        assert_eq!(by_code_or_name("Atlantis"), None);
    }

    #[test]
    fn every_country_has_a_number_of_its_own() {
        let numbers: std::collections::BTreeSet<u16> =
            Country::all_codes().map(|code| code.parse::<Country>().unwrap().number().unwrap()).collect();
        assert_eq!(numbers.len(), Country::all_codes().count());
        for (code, number) in [("CY", 196), ("DE", 276), ("GB", 826), ("AE", 784), ("AF", 4), ("ZW", 716)] {
            assert_eq!(code.parse::<Country>().unwrap().number(), Some(number), "{code}");
        }
    }

    #[test]
    fn there_are_249_countries_and_27_in_the_union() {
        assert_eq!(CODES.split(' ').filter(|c| c.parse::<Country>().is_ok()).count(), 249);
        assert_eq!(EU.split(' ').filter(|c| c.parse::<Country>().is_ok_and(|c| c.in_eu())).count(), 27);
        for text in ["", "DEU", "de", "XX", "UK", "D E"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }
}
