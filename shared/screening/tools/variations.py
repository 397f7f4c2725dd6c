#!/usr/bin/env python3
"""Makes client records that are listed people and companies written in other ways, to measure the engine on kinds of variation that the
development set does not have.

    python3 variations.py LIST_FOLDER [UN_XML] --seed 7 --each 120 --part 0/2 > variations.jsonl

LIST_FOLDER holds OFAC's sdn.csv. With the UN list the people whom both lists have are written as the UN writes them in their own script.
`--part I/N` takes the I-th of N parts of the people, by a hash of their number: fit on one part, measure on another.
The output has the form of dev-screen.jsonl: query_id, name, dob, country, type, label, entity_id, category, dob_mode.
"""
import argparse
import csv
import hashlib
import json
import pathlib
import random
import re
import unicodedata
import xml.etree.ElementTree as ElementTree

MONTHS = {m: i + 1 for i, m in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}
COUNTRIES = {"Russia": "ru", "Ukraine": "ua", "Belarus": "by", "Iran": "ir", "Iraq": "iq", "Syria": "sy", "Mexico": "mx", "Colombia": "co", "China": "cn",
             "Korea, North": "kp", "Lebanon": "lb", "Pakistan": "pk", "Afghanistan": "af", "Turkey": "tr", "Yemen": "ye", "Libya": "ly", "Venezuela": "ve"}


def people(path):
    """Listed persons and organisations of sdn.csv."""
    for row in csv.reader(open(path, newline="", encoding="latin-1")):
        if len(row) < 12:
            continue
        number, name, kind, remarks = row[0], row[1], row[2].strip(), row[11]
        births = [parse_date(d) for d in re.findall(r"DOB ([^;.]+)", remarks)]
        nation = re.search(r"(?:nationality|citizen) ([^;.]+)", remarks)
        gender = re.search(r"Gender (Male|Female)", remarks)
        yield {"id": number, "name": name.strip(), "kind": {"individual": "person", "-0-": "org"}.get(kind), "births": [b for b in births if b],
               "country": COUNTRIES.get(nation.group(1).strip()) if nation else None, "gender": gender.group(1) if gender else None}


def parse_date(text):
    fields = text.replace("circa", "").split()
    try:
        if len(fields) == 3:
            return "%s-%02d-%02d" % (fields[2], MONTHS[fields[1]], int(fields[0]))
        return fields[0] if len(fields) == 1 and len(fields[0]) == 4 else None
    except (KeyError, ValueError):
        return None


def spoken(person):
    """(given names, family names), each a list of words in normal case."""
    family, _, given = person["name"].partition(",")
    case = lambda text: [w if len(w) <= 3 and w.islower() else "-".join(p[:1].upper() + p[1:].lower() for p in w.split("-")) for w in text.split()]
    return case(given), case(family)


# --- scripts: letters back into the script they came from -----------------------------------------------------------------------------

RUSSIAN = [("shch", "щ"), ("yevich", "ьевич"), ("yevna", "ьевна"), ("zh", "ж"), ("kh", "х"), ("ts", "ц"), ("ch", "ч"), ("sh", "ш"), ("yu", "ю"), ("ya", "я"), ("ye", "е"), ("yo", "ё"),
           ("iy", "ий"), ("ei", "ей"), ("ai", "ай"), ("ii", "ий"), ("oi", "ой"), ("ay", "ай"), ("ey", "ей"), ("oy", "ой"), ("uy", "уй"), ("x", "кс"), ("a", "а"), ("b", "б"), ("v", "в"), ("g", "г"), ("d", "д"), ("e", "е"),
           ("z", "з"), ("i", "и"), ("k", "к"), ("l", "л"), ("m", "м"), ("n", "н"), ("o", "о"), ("p", "п"), ("r", "р"), ("s", "с"), ("t", "т"), ("u", "у"), ("f", "ф"),
           ("h", "х"), ("c", "к"), ("y", "ы"), ("j", "дж"), ("w", "в"), ("q", "к")]
ARABIC = [("kh", "خ"), ("sh", "ش"), ("th", "ث"), ("dh", "ذ"), ("gh", "غ"), ("ch", "تش"), ("aa", "ا"), ("ee", "ي"), ("oo", "و"), ("ou", "و"), ("ay", "ي"), ("aw", "و"), ("ai", "ي"),
          ("b", "ب"), ("p", "ب"), ("t", "ت"), ("j", "ج"), ("h", "ح"), ("d", "د"), ("r", "ر"), ("z", "ز"), ("s", "س"), ("q", "ق"), ("f", "ف"), ("v", "ف"), ("k", "ك"), ("g", "غ"),
          ("l", "ل"), ("m", "م"), ("n", "ن"), ("w", "و"), ("y", "ي"), ("a", "ا?"), ("i", "ي?"), ("u", "و?"), ("o", "و?"), ("e", "?"), ("c", "ك"), ("x", "كس")]
# words whose spelling everybody knows
ARABIC_WORDS = {
    "muhammad": "محمد", "mohammed": "محمد", "mohammad": "محمد", "mohamed": "محمد", "ahmad": "أحمد", "ahmed": "أحمد", "mahmud": "محمود", "mahmoud": "محمود", "ali": "علي",
    "hasan": "حسن", "hassan": "حسن", "husayn": "حسين", "hussein": "حسين", "hossein": "حسين", "husain": "حسين", "hussain": "حسين", "abdallah": "عبدالله", "abdullah": "عبد الله", "abd": "عبد",
    "rahman": "الرحمن", "ibrahim": "إبراهيم", "yusuf": "يوسف", "yousef": "يوسف", "khalid": "خالد", "khaled": "خالد", "omar": "عمر", "umar": "عمر", "uthman": "عثمان",
    "said": "سعيد", "saeed": "سعيد", "salih": "صالح", "saleh": "صالح", "mustafa": "مصطفى", "jamal": "جمال", "kamal": "كمال", "karim": "كريم", "abu": "أبو", "bin": "بن", "ibn": "ابن",
    "isa": "عيسى", "musa": "موسى", "yahya": "يحيى", "qasim": "قاسم", "nasir": "ناصر", "nasser": "ناصر", "tariq": "طارق", "walid": "وليد", "samir": "سمير", "rashid": "رشيد",
    "mahdi": "مهدي", "mehdi": "مهدي", "reza": "رضا", "rida": "رضا", "amir": "أمير", "hamid": "حميد", "jafar": "جعفر", "abbas": "عباس", "fadl": "فضل", "sulayman": "سليمان", "suleiman": "سليمان",
    "ismail": "إسماعيل", "bashir": "بشير", "habib": "حبيب", "sharif": "شريف", "zayn": "زين", "taha": "طه", "anwar": "أنور", "faysal": "فيصل", "majid": "ماجد", "munir": "منير", "nur": "نور",
    "sadiq": "صادق", "salim": "سالم", "taleb": "طالب", "usama": "أسامة", "ayman": "أيمن", "bilal": "بلال", "haydar": "حيدر", "jabir": "جابر", "mansur": "منصور", "murad": "مراد", "farid": "فريد",
    "aziz": "العزيز", "karimi": "کریمی", "mohammadi": "محمدی", "hosseini": "حسینی", "ahmadi": "احمدی", "rezaei": "رضایی", "akbar": "اکبر", "asghar": "اصغر", "gholam": "غلام",
}
CHINESE = {
    "wang": "王", "li": "李", "zhang": "张", "liu": "刘", "chen": "陈", "yang": "杨", "zhao": "赵", "huang": "黄", "zhou": "周", "wu": "吴", "xu": "徐", "sun": "孙", "hu": "胡", "zhu": "朱",
    "gao": "高", "lin": "林", "he": "何", "guo": "郭", "ma": "马", "luo": "罗", "liang": "梁", "song": "宋", "zheng": "郑", "xie": "谢", "han": "韩", "tang": "唐", "feng": "冯", "yu": "于",
    "dong": "董", "xiao": "肖", "cheng": "程", "cao": "曹", "yuan": "袁", "deng": "邓", "fu": "傅", "shen": "沈", "zeng": "曾", "peng": "彭", "lu": "陆", "su": "苏", "jiang": "江", "cai": "蔡",
    "jia": "贾", "ding": "丁", "wei": "伟", "xue": "雪", "ye": "叶", "yan": "燕", "pan": "潘", "du": "杜", "dai": "戴", "xia": "夏", "zhong": "中", "tian": "田", "ren": "任", "fan": "范",
    "ping": "平", "jin": "金", "ming": "明", "hua": "华", "jun": "军", "min": "敏", "jing": "静", "guang": "光", "guo": "国", "qiang": "强", "yong": "勇", "bin": "斌", "bo": "波", "hong": "红",
    "hai": "海", "xin": "新", "long": "龙", "gang": "刚", "jian": "建", "jie": "杰", "tao": "涛", "chang": "昌", "sheng": "生", "rong": "荣", "mei": "美", "lan": "兰", "ying": "英", "xiang": "祥",
    "shan": "山", "shu": "树", "zhi": "志", "zhen": "振", "zi": "子", "de": "德", "da": "大", "hui": "辉", "ning": "宁", "qing": "庆", "lei": "雷", "kai": "凯", "kang": "康", "nan": "南", "bao": "宝",
    "an": "安", "chun": "春", "dan": "丹", "fa": "发", "gui": "贵", "heng": "恒", "ji": "吉", "ke": "科", "lian": "连", "qi": "琪", "quan": "全", "shi": "石", "shun": "顺", "wen": "文", "xi": "习",
    "xiu": "秀", "yi": "义", "yun": "云", "ze": "泽", "zu": "祖", "xing": "兴", "fang": "芳", "ting": "婷", "yue": "月", "jiu": "九", "hang": "航", "wan": "万", "fei": "飞", "ruan": "阮", "run": "润", "ling": "玲",
}
KOREAN = {
    "kim": "김", "ri": "리", "pak": "박", "choe": "최", "jong": "정", "chong": "정", "kang": "강", "jo": "조", "cho": "조", "yun": "윤", "jang": "장", "chang": "장", "han": "한", "o": "오", "so": "서", "sin": "신",
    "kwon": "권", "hwang": "황", "an": "안", "song": "성", "ryu": "류", "hong": "홍", "jon": "전", "ko": "고", "mun": "문", "yang": "양", "son": "선", "pae": "배", "paek": "백", "ho": "호", "nam": "남",
    "sim": "심", "ro": "로", "ha": "하", "kwak": "곽", "chol": "철", "un": "은", "il": "일", "yong": "영", "su": "수", "hyon": "현", "myong": "명", "kwang": "광", "chun": "춘", "jun": "준", "hyok": "혁", "guk": "국",
    "kuk": "국", "jin": "진", "chin": "진", "sok": "석", "ok": "옥", "hui": "희", "tae": "태", "sang": "상", "won": "원", "man": "만", "kyong": "경", "gyong": "경", "rim": "림", "ryong": "룡", "hak": "학", "chan": "찬",
    "u": "우", "gi": "기", "ki": "기", "kun": "근", "gun": "건", "tok": "덕", "jae": "재", "chae": "재", "min": "민", "hae": "해", "pong": "봉", "sung": "승", "hun": "훈", "sik": "식", "ju": "주", "chu": "주", "nyong": "녕", "yo": "여",
    "sun": "순", "ung": "웅", "kye": "계", "rae": "래", "in": "인", "ik": "익", "pom": "범", "pyong": "병", "byong": "병", "kil": "길", "gil": "길", "hwa": "화", "yon": "연", "yol": "열", "se": "세", "to": "도", "chi": "지",
}
GREEK = [("th", "θ"), ("ch", "χ"), ("kh", "χ"), ("ph", "φ"), ("ps", "ψ"), ("x", "ξ"), ("ou", "ου"), ("a", "α"), ("v", "β"), ("b", "μπ"), ("g", "γ"), ("d", "ντ"), ("e", "ε"), ("z", "ζ"), ("i", "ι"), ("k", "κ"), ("l", "λ"),
         ("m", "μ"), ("n", "ν"), ("o", "ο"), ("p", "π"), ("r", "ρ"), ("sh", "σ"), ("s", "σ"), ("t", "τ"), ("u", "ου"), ("f", "φ"), ("y", "ι"), ("h", "χ"), ("j", "τζ"), ("c", "κ"), ("w", "ου"), ("q", "κ")]
GEORGIAN = [("zh", "ჟ"), ("kh", "ხ"), ("ts", "ც"), ("ch", "ჩ"), ("sh", "შ"), ("gh", "ღ"), ("dz", "ძ"), ("a", "ა"), ("b", "ბ"), ("g", "გ"), ("d", "დ"), ("e", "ე"), ("v", "ვ"), ("z", "ზ"), ("t", "თ"), ("i", "ი"), ("k", "კ"),
            ("l", "ლ"), ("m", "მ"), ("n", "ნ"), ("o", "ო"), ("p", "პ"), ("r", "რ"), ("s", "ს"), ("u", "უ"), ("f", "ფ"), ("y", "ი"), ("h", "ჰ"), ("j", "ჯ"), ("c", "კ"), ("q", "ყ"), ("w", "ვ"), ("x", "ქს")]
ARMENIAN = [("zh", "ժ"), ("kh", "խ"), ("ts", "ց"), ("ch", "չ"), ("sh", "շ"), ("gh", "ղ"), ("a", "ա"), ("b", "բ"), ("g", "գ"), ("d", "դ"), ("e", "ե"), ("v", "վ"), ("z", "զ"), ("t", "տ"), ("i", "ի"), ("k", "կ"), ("l", "լ"), ("m", "մ"),
            ("n", "ն"), ("o", "ո"), ("p", "պ"), ("r", "ր"), ("s", "ս"), ("u", "ու"), ("f", "ֆ"), ("y", "յ"), ("h", "հ"), ("j", "ջ"), ("c", "կ"), ("q", "ք"), ("w", "վ"), ("x", "քս")]
DEVANAGARI = [("kh", "ख"), ("gh", "घ"), ("ch", "च"), ("th", "थ"), ("dh", "ध"), ("ph", "फ"), ("bh", "भ"), ("sh", "श"), ("aa", "ा"), ("ee", "ी"), ("oo", "ू"), ("k", "क"), ("g", "ग"), ("j", "ज"), ("t", "त"), ("d", "द"), ("n", "न"), ("p", "प"),
              ("b", "ब"), ("m", "म"), ("y", "य"), ("r", "र"), ("l", "ल"), ("v", "व"), ("w", "व"), ("s", "स"), ("h", "ह"), ("z", "ज़"), ("f", "फ़"), ("q", "क़"), ("a", "?ा"), ("i", "ि"), ("u", "ु"), ("e", "े"), ("o", "ो"), ("c", "क"), ("x", "क्स")]
FIRST_VOWELS = {"ा": "अ", "ि": "इ", "ु": "उ", "े": "ए", "ो": "ओ", "ी": "ई", "ू": "ऊ"}
HEBREW = [("sh", "ש"), ("kh", "ח"), ("ch", "צ'"), ("ts", "צ"), ("th", "ת"), ("aa", "א"), ("oo", "ו"), ("ou", "ו"), ("b", "ב"), ("g", "ג"), ("d", "ד"), ("h", "ה"), ("v", "ו"), ("w", "ו"), ("z", "ז"), ("t", "ט"), ("y", "י"), ("k", "ק"), ("l", "ל"), ("m", "מ"), ("n", "נ"),
          ("s", "ס"), ("p", "פ"), ("f", "פ"), ("q", "ק"), ("r", "ר"), ("j", "ג'"), ("a", "?א"), ("i", "י"), ("u", "ו"), ("o", "ו"), ("e", "?"), ("c", "ק"), ("x", "קס")]
KATAKANA = {"a": "ア", "i": "イ", "u": "ウ", "e": "エ", "o": "オ", "ka": "カ", "ki": "キ", "ku": "ク", "ke": "ケ", "ko": "コ", "sa": "サ", "si": "シ", "shi": "シ", "su": "ス", "se": "セ", "so": "ソ", "ta": "タ", "chi": "チ", "ti": "ティ", "tsu": "ツ", "tu": "トゥ",
            "te": "テ", "to": "ト", "na": "ナ", "ni": "ニ", "nu": "ヌ", "ne": "ネ", "no": "ノ", "ha": "ハ", "hi": "ヒ", "fu": "フ", "he": "ヘ", "ho": "ホ", "ma": "マ", "mi": "ミ", "mu": "ム", "me": "メ", "mo": "モ", "ya": "ヤ", "yu": "ユ", "yo": "ヨ", "ra": "ラ", "ri": "リ", "ru": "ル",
            "re": "レ", "ro": "ロ", "wa": "ワ", "n": "ン", "ga": "ガ", "gi": "ギ", "gu": "グ", "ge": "ゲ", "go": "ゴ", "za": "ザ", "ji": "ジ", "zu": "ズ", "ze": "ゼ", "zo": "ゾ", "da": "ダ", "di": "ディ", "du": "ドゥ", "de": "デ", "do": "ド", "ba": "バ", "bi": "ビ", "bu": "ブ", "be": "ベ",
            "bo": "ボ", "pa": "パ", "pi": "ピ", "pu": "プ", "pe": "ペ", "po": "ポ", "va": "ヴァ", "vi": "ヴィ", "vu": "ヴ", "ve": "ヴェ", "vo": "ヴォ", "ja": "ジャ", "ju": "ジュ", "jo": "ジョ", "sha": "シャ", "shu": "シュ", "sho": "ショ", "cha": "チャ", "chu": "チュ", "cho": "チョ", "fa": "ファ", "fi": "フィ", "fo": "フォ", "fe": "フェ"}


def respell(word, table, rng):
    """Letters by the longest entry first; what stands after ? is written in half of the cases (short vowels)."""
    word, out, at = plain(word), "", 0
    if table in (ARABIC, HEBREW, DEVANAGARI):
        word = re.sub(r"([^aeo])\1", r"\1", word)
    while at < len(word):
        for latin, letter in table:
            if word.startswith(latin, at):
                if "?" in letter:
                    letter = letter.replace("?", "") if rng.random() < 0.4 or at == 0 else ""
                out += FIRST_VOWELS.get(letter, letter) if at == 0 else letter
                at += len(latin)
                break
        else:
            at += 1
    return out


def plain(text):
    text = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in text if c.isascii() and c.isalpha())


def cyrillic(given, family, rng):
    return " ".join(respell(w, RUSSIAN, rng).capitalize() for w in given + family)


def arabic(given, family, rng):
    words = []
    for word in " ".join(given + family).replace("-", " ").replace("'", "").split():
        low = plain(word)
        if low in ("al", "el", "ul"):
            words.append("ال")
        else:
            words.append(ARABIC_WORDS.get(low) or respell(low, ARABIC, rng))
    return re.sub(r"\bال (?=\S)", "ال", " ".join(words)).replace("الال", "ال")


def by_syllable(given, family, table):
    """Chinese and Korean: every word must be made of known syllables."""
    out = ""
    for word in family + given:
        word = plain(word)
        while word:
            cut = next((n for n in range(min(6, len(word)), 0, -1) if word[:n] in table and (n == len(word) or splits(word[n:], table))), 0)
            if not cut:
                return None
            out += table[word[:cut]]
            word = word[cut:]
    return out


def splits(word, table):
    return not word or any(word[:n] in table and splits(word[n:], table) for n in range(1, min(6, len(word)) + 1))


def katakana(given, family):
    out = []
    for word in given + family:
        word, kana, at = plain(word).replace("l", "r").replace("c", "k").replace("kh", "h").replace("q", "k"), "", 0
        while at < len(word):
            hit = next((n for n in (3, 2, 1) if word[at:at + n] in KATAKANA), 0)
            if hit:
                kana += KATAKANA[word[at:at + hit]]
                at += hit
            else:
                kana += KATAKANA.get(word[at] + ("o" if word[at] in "td" else "u"), "")
                at += 1
        out.append(kana or "")
    return "・".join(out)


# --- Latin spellings of Russian names ---------------------------------------------------------------------------------------------------

GERMAN = [("shch", "schtsch"), ("zh", "sch"), ("kh", "ch"), ("ch", "tsch"), ("sh", "sch"), ("ts", "z"), ("yu", "ju"), ("ya", "ja"), ("ye", "je"), ("v", "w"), ("iy", "ij"), ("ey", "ej"), ("ay", "aj"), ("oy", "oj"), ("y", "y"), ("z", "s")]
FRENCH = [("shch", "chtch"), ("zh", "j"), ("kh", "kh"), ("ch", "tch"), ("sh", "ch"), ("yu", "iou"), ("ya", "ia"), ("ye", "ie"), ("iy", "i"), ("ey", "eï"), ("u", "ou"), ("ov$", "off"), ("ev$", "eff")]
ISO = [("shch", "šč"), ("zh", "ž"), ("kh", "h"), ("ch", "č"), ("sh", "š"), ("ts", "c"), ("yu", "ju"), ("ya", "ja"), ("ye", "e"), ("iy", "ij"), ("ey", "ej"), ("ay", "aj"), ("oy", "oj")]
POLISH = [("shch", "szcz"), ("zh", "ż"), ("kh", "ch"), ("ch", "cz"), ("sh", "sz"), ("ts", "c"), ("yu", "ju"), ("ya", "ja"), ("ye", "je"), ("v", "w"), ("iy", "ij"), ("ey", "iej"), ("ay", "aj"), ("ovich", "owicz"), ("sky", "ski")]
SCANDINAVIAN = [("shch", "sjtj"), ("zh", "zj"), ("kh", "kh"), ("ch", "tj"), ("sh", "sj"), ("ts", "ts"), ("yu", "ju"), ("ya", "ja"), ("ye", "je"), ("iy", "ij"), ("ey", "ej"), ("ay", "aj")]


def in_spelling(words, table):
    out = []
    for word in words:
        low, new, at = plain(word), "", 0
        while at < len(low):
            for source, target in table:
                if source.endswith("$"):
                    if low[at:] == source[:-1]:
                        new, at = new + target, len(low)
                        break
                elif low.startswith(source, at):
                    new, at = new + target, at + len(source)
                    break
            else:
                new, at = new + low[at], at + 1
        out.append(new.capitalize())
    return out


NICKNAMES = {
    "aleksandr": ["Sasha", "Alex", "Sascha"], "alexander": ["Sasha", "Alex"], "aleksei": ["Alyosha", "Lyosha"], "aleksey": ["Alyosha"], "alexey": ["Lyosha", "Alyosha"], "dmitry": ["Dima", "Mitya"], "dmitri": ["Dima"], "dmitriy": ["Dima"],
    "sergei": ["Seryozha"], "sergey": ["Seryozha"], "vladimir": ["Vova", "Volodya"], "mikhail": ["Misha"], "nikolai": ["Kolya"], "nikolay": ["Kolya"], "ivan": ["Vanya"], "yevgeny": ["Zhenya"], "evgeny": ["Zhenya"],
    "konstantin": ["Kostya"], "anatoly": ["Tolya"], "viktor": ["Vitya"], "yury": ["Yura"], "yuri": ["Yura"], "pavel": ["Pasha"], "andrey": ["Andryusha"], "andrei": ["Andryusha"], "vasily": ["Vasya"], "boris": ["Borya"], "ekaterina": ["Katya"],
    "yekaterina": ["Katya"], "natalia": ["Natasha"], "natalya": ["Natasha"], "tatiana": ["Tanya"], "tatyana": ["Tanya"], "svetlana": ["Sveta"], "elena": ["Lena"], "yelena": ["Lena"], "olga": ["Olya"], "anna": ["Anya"], "maria": ["Masha"],
    "jose": ["Pepe"], "francisco": ["Paco", "Pancho"], "jesus": ["Chuy"], "ignacio": ["Nacho"], "manuel": ["Manolo"], "guadalupe": ["Lupe"], "enrique": ["Quique"], "eduardo": ["Lalo"], "alfonso": ["Poncho"], "roberto": ["Beto"], "alberto": ["Beto"],
    "rafael": ["Rafa"], "fernando": ["Nando"], "luis": ["Lucho"], "antonio": ["Tono", "Tony"], "ricardo": ["Ricky"], "javier": ["Javi"], "daniel": ["Dani"], "robert": ["Bob"], "william": ["Bill"], "joseph": ["Joe"], "thomas": ["Tom"], "james": ["Jim"],
    "michael": ["Mike"], "charles": ["Charlie"], "edward": ["Ted"], "anthony": ["Tony"], "samuel": ["Sam"], "benjamin": ["Ben"], "ibrahim": ["Ibro"], "mohammed": ["Mo"], "mohammad": ["Mo"], "muhammad": ["Mo"], "vyacheslav": ["Slava"],
    "stanislav": ["Stas"], "vladislav": ["Vlad"], "gennady": ["Gena"], "leonid": ["Lyonya"], "grigory": ["Grisha"], "georgy": ["Gosha"], "ilya": ["Ilyusha"], "igor": ["Igorek"], "valery": ["Valera"], "maksim": ["Max"], "denis": ["Den"], "roman": ["Roma"],
}
TITLES = ["Dr.", "Mr.", "General", "Sheikh", "Prof.", "Haji", "Mullah", "Colonel", "Sayyid", "Eng.", "Maj. Gen.", "Hon.", "Sr.", "Capt."]
PATRONYMICS = ["Ivanovich", "Petrovich", "Sergeevich", "Vladimirovich", "Nikolaevich", "Aleksandrovich"]
MIDDLES = ["Maria", "Jose", "Ali", "Ahmad", "Luis", "Karim", "Antonio", "Hassan", "Jan", "Peter"]


def typos(text, count, rng):
    for _ in range(count):
        places = [i for i, c in enumerate(text) if c.isalpha()]
        if len(places) < 4:
            return text
        at = rng.choice(places[1:])
        letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
        text = rng.choice([text[:at] + letter + text[at + 1:], text[:at] + text[at + 1:], text[:at] + letter + text[at:], text[:at - 1] + text[at:at + 1] + text[at - 1:at] + text[at + 1:]])
    return text


def scanned(text, rng):
    pairs = [("rn", "m"), ("m", "rn"), ("l", "1"), ("o", "0"), ("O", "0"), ("i", "l"), ("e", "c"), ("S", "5"), ("B", "8"), ("cl", "d"), ("d", "cl"), ("h", "b"), ("I", "l"), ("v", "y"), ("a", "o"), ("n", "u")]
    rng.shuffle(pairs)
    done = 0
    for source, target in pairs:
        if source in text[1:] and done < 2:
            at = text.index(source, 1)
            text, done = text[:at] + target + text[at + len(source):], done + 1
    return text if done else None


# --- kinds of variation -----------------------------------------------------------------------------------------------------------------

RUSSIAN_COUNTRIES = ("ru", "ua", "by")
ARAB_COUNTRIES = ("iq", "sy", "lb", "ye", "ly")


def is_russian(p, given, family):
    return any(re.search(r"(ovich|evich|ovna|evna|ich)$", w.lower()) for w in given) and len(given) == 2


def is_arabic(p, given, family):
    return p["country"] in ARAB_COUNTRIES or any(plain(w) in ARABIC_WORDS for w in given + family)


def person_kinds():
    def arabic_people(make):
        return lambda p, g, f, r: make(p, g, f, r) if is_arabic(p, g, f) else None

    def russian_people(make):
        return lambda p, g, f, r: make(p, g, f, r) if is_russian(p, g, f) else None

    join = lambda words: " ".join(words)
    kinds = {
        "native_cyrillic": russian_people(lambda p, g, f, r: cyrillic(g, f, r)),
        "native_cyrillic_short": russian_people(lambda p, g, f, r: cyrillic(g[:1], f, r)),
        "native_arabic": arabic_people(lambda p, g, f, r: arabic(g, f, r)),
        "native_persian": lambda p, g, f, r: arabic(g, f, r).replace("ك", "ک").replace("ي", "ی") if p["country"] == "ir" else None,
        "native_chinese": lambda p, g, f, r: by_syllable(g, f, CHINESE) if p["country"] == "cn" or len(plain(join(f))) <= 5 else None,
        "native_korean": lambda p, g, f, r: by_syllable(g, f, KOREAN) if p["country"] == "kp" else None,
        "native_greek": russian_people(lambda p, g, f, r: join(respell(w, GREEK, r) for w in g[:1] + f)),
        "native_georgian": russian_people(lambda p, g, f, r: join(respell(w, GEORGIAN, r) for w in g[:1] + f)),
        "native_armenian": russian_people(lambda p, g, f, r: join(respell(w, ARMENIAN, r) for w in g[:1] + f)),
        "native_devanagari": lambda p, g, f, r: join(respell(w, DEVANAGARI, r) for w in g + f) if p["country"] in ("pk", "in", "af") else None,
        "native_hebrew": arabic_people(lambda p, g, f, r: join(respell(w, HEBREW, r) for w in join(g + f).replace("-", " ").split() if plain(w) not in ("al", "el"))),
        "native_katakana": russian_people(lambda p, g, f, r: katakana(g[:1], f)),
        "initials_first": lambda p, g, f, r: join([g[0][0] + "."] + f) if len(g) == 1 and len(plain(join(f))) > 4 else None,
        "initials_two": lambda p, g, f, r: join([w[0] + "." for w in g] + f) if len(g) == 2 else None,
        "initials_tight": lambda p, g, f, r: "".join(w[0] + "." for w in g) + " " + join(f) if len(g) >= 2 else None,
        "initial_middle": lambda p, g, f, r: join([g[0]] + [w[0] + "." for w in g[1:]] + f) if len(g) >= 2 else None,
        "initials_after": lambda p, g, f, r: join(f + [w[0] + "." for w in g]) if len(g) == 2 else None,
        "nickname": lambda p, g, f, r: join([r.choice(NICKNAMES[plain(g[0])])] + f) if g and plain(g[0]) in NICKNAMES else None,
        "nickname_keep_middle": lambda p, g, f, r: join([r.choice(NICKNAMES[plain(g[0])])] + g[1:] + f) if len(g) > 1 and plain(g[0]) in NICKNAMES else None,
        "spelling_german": russian_people(lambda p, g, f, r: join(in_spelling(g[:r.choice([1, 2])] + f, GERMAN))),
        "spelling_french": russian_people(lambda p, g, f, r: join(in_spelling(g[:r.choice([1, 2])] + f, FRENCH))),
        "spelling_iso": russian_people(lambda p, g, f, r: join(in_spelling(g[:r.choice([1, 2])] + f, ISO))),
        "spelling_polish": russian_people(lambda p, g, f, r: join(in_spelling(g[:r.choice([1, 2])] + f, POLISH))),
        "spelling_scandinavian": russian_people(lambda p, g, f, r: join(in_spelling(g[:r.choice([1, 2])] + f, SCANDINAVIAN))),
        "patronymic_dropped": russian_people(lambda p, g, f, r: join(f + g[:1])),
        "patronymic_added": lambda p, g, f, r: join(g + [r.choice(PATRONYMICS)] + f) if len(g) == 1 and p["country"] in RUSSIAN_COUNTRIES else None,
        "part_added": lambda p, g, f, r: join(g + [r.choice(MIDDLES)] + f) if len(g) >= 1 else None,
        "part_dropped": lambda p, g, f, r: join(w for i, w in enumerate(g + f) if i != 1) if len(g + f) >= 4 else None,
        "family_dropped": lambda p, g, f, r: join(g + f[:1]) if len(f) == 2 and len(plain(f[0])) > 3 else None,
        "family_first_dropped": lambda p, g, f, r: join(g + f[1:]) if len(f) == 2 and len(plain(f[0])) > 3 else None,
        "family_hyphen": lambda p, g, f, r: join(g) + " " + "-".join(f) if len(f) == 2 else None,
        "joined": lambda p, g, f, r: join(glued(g + f, r)),
        "joined_all": lambda p, g, f, r: plain(join(g + f)) if len(g + f) == 2 and len(plain(join(g + f))) < 15 else None,
        "split": lambda p, g, f, r: split_word(g + f, r),
        "title": lambda p, g, f, r: join([r.choice(TITLES)] + g + f),
        "swapped": lambda p, g, f, r: join(f) + ", " + join(g) if r.random() < 0.3 else join(f + g),
        "shuffled": lambda p, g, f, r: join(r.sample(g + f, len(g + f))),
        "typos2": lambda p, g, f, r: typos(join(g + f), 2, r),
        "typos3": lambda p, g, f, r: typos(join(g + f), 3, r) if len(join(g + f)) > 12 else None,
        "ocr": lambda p, g, f, r: scanned(join(g + f), r),
        "ocr_upper": lambda p, g, f, r: scanned(join(g + f).upper(), r),
        "muhammad_short": lambda p, g, f, r: re.sub(r"(?i)\b(muhammad|mohammad|mohammed|mohamed)\b", r.choice(["Md.", "Mohd", "Muh.", "Mhd", "M."]), join(g + f), count=1)
            if re.search(r"(?i)\b(muhammad|mohammad|mohammed|mohamed)\b", join(g + f)) else None,
        "arabic_article": arabic_people(lambda p, g, f, r: article(join(g + f), r)),
        "arabic_abd": lambda p, g, f, r: abd(join(g + f), r),
        "arabic_bin": arabic_people(lambda p, g, f, r: join(g[:1] + [r.choice(["bin", "ibn", "ben", "b."])] + g[1:] + f) if len(g) > 1 else None),
        "arabic_vowels": arabic_people(lambda p, g, f, r: revowel(join(g + f), r)),
        "diacritics_all": lambda p, g, f, r: "".join(c + "\u0301" if c in "aeiou" and r.random() < 0.4 else c for c in join(g + f)),
        "lookalike": lambda p, g, f, r: "".join({"a": "а", "e": "е", "o": "о", "c": "с", "p": "р"}.get(c, c) if r.random() < 0.5 else c for c in join(g + f)),
        "lower_no_space_punct": lambda p, g, f, r: "_".join(g + f).lower(),
        "plain": lambda p, g, f, r: join(g + f),
    }
    return kinds


def glued(words, rng):
    if len(words) < 3:
        return [words[0] + words[-1].lower()] if len(words) == 2 else words
    at = rng.randrange(len(words) - 1)
    return words[:at] + [words[at] + words[at + 1].lower()] + words[at + 2:]


def split_word(words, rng):
    places = [i for i, w in enumerate(words) if len(w) >= 6]
    if not places:
        return None
    at = rng.choice(places)
    cut = rng.randrange(3, len(words[at]) - 2)
    return " ".join(words[:at] + [words[at][:cut], words[at][cut:]] + words[at + 1:])


def article(text, rng):
    if not re.search(r"(?i)\bal[- ]", text):
        return None
    return re.sub(r"(?i)\bal[- ]\s*(\w)", lambda m: rng.choice(["el-", "El ", "Al", "", "al ", "ul-", "al-"]) + m.group(1).upper(), text)


def abd(text, rng):
    if not re.search(r"(?i)\babd(ul|el|al)?[- ]", text):
        return None
    return re.sub(r"(?i)\babd(ul|el|al)?[- ](al[- ]|el[- ])?(\w)", lambda m: rng.choice(["Abdul ", "Abdel ", "Abdul", "Abdel-", "Abd el ", "Abdal", "Abdoul "]) + m.group(3), text)


def revowel(text, rng):
    swaps = [("u", "o"), ("i", "e"), ("ay", "ai"), ("aw", "au"), ("q", "k"), ("ou", "u"), ("ee", "i"), ("y", "i"), ("dh", "z"), ("kh", "ch"), ("j", "dj"), ("h", "")]
    low = text.lower()
    for source, target in rng.sample(swaps, 4):
        low = low.replace(source, target)
    return low.title() if low != text.lower() else None


LEGAL = {"LIMITED LIABILITY COMPANY": ["OOO", "LLC"], "LLC": ["Limited Liability Company", "OOO", "L.L.C."], "LTD": ["Limited", "Ltd."], "LTD.": ["Limited"], "LIMITED": ["Ltd"], "CO.": ["Company"], "COMPANY": ["Co."], "CORPORATION": ["Corp."], "CORP.": ["Corporation"],
         "JOINT STOCK COMPANY": ["JSC", "AO"], "JSC": ["Joint Stock Company", "AO"], "INC.": ["Incorporated"], "S.A.": ["SA", "Sociedad Anonima"], "GMBH": ["Gesellschaft mit beschrankter Haftung"]}
WORDS = {"TRADING": "Trdg", "INTERNATIONAL": "Intl", "COMPANY": "Co", "INDUSTRIES": "Ind.", "INDUSTRIAL": "Ind", "GENERAL": "Gen.", "ENGINEERING": "Eng.", "DEVELOPMENT": "Dev", "MANUFACTURING": "Mfg", "NATIONAL": "Natl", "CORPORATION": "Corp", "SHIPPING": "Shpg",
         "INVESTMENT": "Inv.", "TECHNOLOGY": "Tech", "UNIVERSITY": "Univ.", "INSTITUTE": "Inst.", "GROUP": "Grp", "SERVICES": "Svcs", "EXCHANGE": "Exch.", "TRANSPORT": "Transp", "PETROLEUM": "Petrol."}
TRANSLATED = {"BANK": "Banco", "COMPANY": "Compañía", "TRADING": "Comercio", "NATIONAL": "Nacional", "INTERNATIONAL": "Internacional", "OIL": "Petroleo", "INSTITUTE": "Instituto", "UNIVERSITY": "Universidad", "FACTORY": "Zavod", "INSURANCE": "Seguros", "FOUNDATION": "Fundación",
              "CENTER": "Centro", "MINISTRY": "Ministerio", "GROUP": "Grupo", "RESEARCH": "Investigación", "ISLAMIC": "Islamico", "SOCIETY": "Sociedad", "TRANSPORT": "Transporte"}


def unspoken():
    """Words that an acronym leaves out: legal forms and small words, from the crate's own tables."""
    tables = pathlib.Path(__file__).parent.parent / "data"
    return {word for name in ("legal_forms.txt", "small_words.txt") for line in open(tables / name) if not line.startswith("#") for word in line.split()}


UNSPOKEN = unspoken()


def org_kinds():
    def replaced(table):
        def make(p, name, r):
            hits = [w for w in table if re.search(r"(?<!\w)%s(?!\w)" % re.escape(w), name)]
            if not hits:
                return None
            word = r.choice(hits)
            target = table[word] if isinstance(table[word], str) else r.choice(table[word])
            return re.sub(r"(?<!\w)%s(?!\w)" % re.escape(word), target, name, count=1).title()
        return make

    def acronym(p, name, r):
        words = [w for w in re.findall(r"[A-Z]+", name.replace(".", "").replace("'", "")) if w.lower() not in UNSPOKEN]
        return "".join(w[0] for w in words) if 4 <= len(words) <= 7 else None

    def dropped(p, name, r):
        words = name.split()
        return " ".join(words[:-1]).title() if len(words) >= 4 else None

    return {
        "org_legal_form": replaced(LEGAL),
        "org_abbreviated": replaced(WORDS),
        "org_translated": replaced(TRANSLATED),
        "org_form_dropped": lambda p, n, r: re.sub(r"(?i)[ ,]+(llc|ltd\.?|limited|co\.?|company|inc\.?|corp\.?|jsc|s\.a\.|gmbh)$", "", n).title() if re.search(r"(?i)[ ,]+(llc|ltd\.?|limited|co\.?|company|inc\.?|corp\.?|jsc|s\.a\.|gmbh)$", n) else None,
        "org_acronym": acronym,
        "org_last_word_dropped": dropped,
        "org_shuffled": lambda p, n, r: " ".join(r.sample(n.split(), len(n.split()))).title() if 2 <= len(n.split()) <= 6 else None,
        "org_typo1": lambda p, n, r: typos(n.title(), 1, r),
        "org_typos2": lambda p, n, r: typos(n.title(), 2, r),
        "org_and": lambda p, n, r: n.replace(" AND ", " & ").title() if " AND " in n else None,
        "org_joined": lambda p, n, r: " ".join(glued(n.title().split(), r)) if len(n.split()) > 1 else None,
        "org_cyrillic": lambda p, n, r: " ".join(respell(w, RUSSIAN, r).upper() for w in n.split()) if re.search(r"(?i)obshchestvo|aktsionernoe|zavod", n) else None,
        "org_the": lambda p, n, r: "The " + n.title(),
    }


def dob_for(person, rng):
    """(date, how it relates), with the slips that real records have."""
    if not person["births"] or rng.random() < 0.12:
        return "", "missing"
    date = person["births"][0]
    if len(date) == 4:
        return "%s-%02d-%02d" % (date, rng.randint(1, 12), rng.randint(1, 28)), "list_year_only"
    year, month, day = date.split("-")
    roll = rng.random()
    if roll < 0.08:
        return year, "client_year_only"
    if roll < 0.15:
        return "%d-%s-%s" % (int(year) + rng.choice([-1, 1]), month, day if (month, day) != ("02", "29") else "28"), "year_off_by_one"
    if roll < 0.19 and int(day) <= 12:
        return "%s-%s-%s" % (year, day, month), "day_month_swapped"
    return date, "full"


def un_people(path):
    """(names in original script, whole Latin names, dates) of the UN list."""
    for entry in ElementTree.parse(path).getroot().iter("INDIVIDUAL"):
        script = (entry.findtext("NAME_ORIGINAL_SCRIPT") or "").strip()
        names = " ".join(entry.findtext(tag) or "" for tag in ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"))
        dates = [d.findtext("DATE") or d.findtext("YEAR") for d in entry.iter("INDIVIDUAL_DATE_OF_BIRTH")]
        if script:
            yield script, names.split(), [d[:10] for d in dates if d]


def un_native(path, persons):
    """People of both lists: the same year of birth and the same consonants in at least two names."""
    consonants = lambda word: re.sub(r"(.)\1", r"\1", re.sub(r"[aeiouyhw]", "", plain(word).replace("q", "k")))
    by_key = {}
    for person in persons:
        words = {consonants(w) for w in re.split(r"[\s,-]+", person["name"])} - {"", "l", "bn"}
        for birth in person["births"]:
            by_key.setdefault(birth[:4], []).append((words, person))
    for script, names, dates in un_people(path):
        words = {consonants(w) for w in re.split(r"[\s-]+", " ".join(names))} - {"", "l", "bn"}
        found = {p["id"]: p for date in dates for listed, p in by_key.get(date[:4], []) if len(words & listed) >= max(2, min(len(words), len(listed)) - 1)}
        if len(found) == 1:
            yield script, next(iter(found.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("un", nargs="?")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--each", type=int, default=120)
    parser.add_argument("--part", default="0/1")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    part, parts = map(int, options.part.split("/"))
    mine = lambda p: int(hashlib.sha256(p["id"].encode()).hexdigest(), 16) % parts == part
    listed = [p for p in people(options.folder + "/sdn.csv") if mine(p)]
    persons = [p for p in listed if p["kind"] == "person" and "," in p["name"]]
    number = 0

    def emit(person, name, category, kind):
        nonlocal number
        number += 1
        dob, mode = dob_for(person, rng) if kind == "person" else ("", "")
        country = person["country"] or ""
        if kind == "person" and rng.random() < 0.2:
            country = rng.choice(["ae", "cy", "gb", "de", "ng", "us", ""])
        print(json.dumps({"query_id": "v%d-%05d" % (options.seed, number), "name": name, "dob": dob, "country": country if kind == "person" else "", "type": kind, "label": 1,
                          "entity_id": person["id"], "category": category, "dob_mode": mode}, ensure_ascii=False))

    for category, make in person_kinds().items():
        order, made = rng.sample(persons, len(persons)), 0
        for person in order:
            if made == options.each:
                break
            given, family = spoken(person)
            name = make(person, given, family, rng) if given and family else None
            if name and name.strip():
                emit(person, name.strip(), category, "person")
                made += 1
    for category, make in org_kinds().items():
        organisations, made = [p for p in listed if p["kind"] == "org"], 0
        for person in rng.sample(organisations, len(organisations)):
            name = make(person, person["name"], rng) if made < options.each else None
            if name and name.strip().lower() != "":
                emit(person, name.strip(), category, "org")
                made += 1
    if options.un:
        for script, person in un_native(options.un, persons):
            emit(person, script, "un_original_script", "person")


if __name__ == "__main__":
    main()
