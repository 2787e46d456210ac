"""A generator of invented news: written phrasings of 21 events, filled with invented names.

The phrasings are in `companion/news/data/events/en.json` and `zh.json`, the rules for names below.
"""

import json
import re
from importlib import resources
from typing import Any

import numpy as np

from companion import _check
from companion.news.corpus import load_articles
from companion.news.dataset import LANGUAGES

_SLOT = r"{(\w+)}"
SPLITS = ("train", "validation", "test", "names")

# Every invented word begins with an element that only one of the three pools has, so that no name
# is in two of them. They are separated by spaces in English; in Chinese each is a character.
_STARTS = {
    "en": {
        "train": "Ald Arb Bal Bev Bol Brad Bren Cald Cam Carn Cel Koll Cren Dalv Dass Del Dern Dor "
        "Drav Dun Elb Eld Elk Emm Erd Est Fal Farn Fel Ferr Finn Fol Garr Gev Gild Grald Hald "
        "Harn Hav Hest Hild Hov Ild Ing Jad Jarn Jess Kald Kard Kev Kold Korn Lamm Larn Led Lind "
        "Lom Mald Mard Meld Mink Mord Nad Nev Nold Olv Orm Ost Pald Pard Pend Prand Quel Rald Ravn "
        "Reld Rod Sarn Seld Skal Stav Tald Tarv Thar Tolm Trev Ulv Varn Veld Warr Welk Yald Zell",
        "validation": "Ank Barv Brim Crov Dov Dremm Erv Fask Frem Gonn Grel Hask Hirn Iv Jend Kant "
        "Klev Lant Lev Misk Nant Norv Pelk Prov Rask Rild Senn Stod Tann Trun Vash Wist Yenn Zam",
        "test": "Ambr Bask Bond Crel Dask Dund Emb Fond Frav Gand Glev Hemm Hond Ish Jask Kenn "
        "Krav Lisk Lunn Mant Nisk Ond Pask Plen Rond Sant Spel Stord Tisk Tull Vand Wesk Yarv Zorn",
    },
    "zh": {
        "train": "汐泠洵浔淙渌渟湉溆滢漪澈澍潋岫峣峤崧嵘嵋芸苇茗荻莳菱萱葭蓼蕖薇蘅檀棣楷槿桢梓栎昕"
        "昱晏晗曦琅琪琬瑾璟砚磐鸥鸢鹂鹮霏霓霖骊骏",
        "validation": "涓滟濛淳芮荃菡茉枳栀旻晖珂瑄碧鹊翎霄驰",
        "test": "泓涵溟澔芙蔓萃蕊桉榛橡昀晟珏璇珑磬鹭翊雯骁",
    },
}
_SURNAMES = {
    "train": "白丁方何胡黄郭高江姜孔康雷李梁林刘龙罗吕马孟倪彭钱秦邱任邵宋孙唐陶田汪王魏吴"
    "夏谢徐薛严杨姚叶余袁张赵郑钟周朱邹",
    "validation": "贝陈崔戴范傅葛洪侯金赖黎廖毛",
    "test": "安毕柴程段樊冯甘古郝季贾柯梅",
}
# How a name goes on: the second half of an English word, the second character of a Chinese one.
_ENDS = {
    "en": {
        "place": "abeck acre airn ambry arden averley axton eford egarth ehaven ekeld emere enby "
        "estead ethorpe ewater icombe ingrove iscote ishaw odale olme onwick ostow urness",
        "given": "a ais an ara e ela en eth ia iel in ira is o ola on ora us",
        "family": "abrook acott addick agar alleck ander ashby atter eckley eddar elwright endale "
        "ersen escu ettow ickman idge illard ingo isk ockley onsby orrin osko umont ustow",
        "brand": "ano aris ax edra ela emi enta era ex ico imar ion ivo ona ora ovo umi yne",
    },
    "zh": {
        "place": "川溪原湾桥渡坪陵浦坞岭洲泽堰屿塘岗滩垣丘田石泉峰港台",
        "given": "安柏冰波晨诚川丹东帆芳刚桂海航恒华佳建洁静军凯兰磊亮琳敏明宁鹏琴清蓉瑞山"
        "书涛婷伟文欣秀雪雅阳怡颖勇宇玉远云泽珍志洲",
        "brand": "源恒拓信盛达康辰科维创联翼锐捷腾通泰益远嘉丰合",
    },
}
_KINDS = {  # the last part of a kind's names, unless the slot says so itself: "institution:医院"
    "en": {
        "company": "Foods|Freight|Glass|Holdings|Industries|Marine|Motors|Paper|Steel|Textiles",
        "institution": "Academy|Institute|University",
        "team": "Albion|Athletic|City|Rangers|Rovers|United|Wanderers",
    },
    "zh": {
        "place": "市|县|镇|区",
        "province": "省|州",
        "country": "国|共和国|联邦|王国",
        "river": "河|江|溪|水",
        "bridge": "大桥|桥|特大桥",
        "court": "法院|中级法院|地方法院",
        "school": "小学|中学|学校",
        "party": "党|联盟|民主党|农工党",
        "disease": "热|病|肺炎|流感",
        "drug": "片|胶囊|单抗|颗粒",
        "company": "集团|公司|股份|实业|控股|科技|食品|重工|能源|纺织",
        "institution": "大学|研究院|研究所|研究中心",
        "team": "队|青年队|联队|飞虎队|海燕队|山鹰队|猎豹队|白鹤队",
    },
}
_BRANDS = ("company", "product", "drug", "storm", "disease", "party")
_CALENDAR = {
    "en": {
        "weekday": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "month": "January February March April May June July August September October December",
    },
    "zh": {
        "weekday": "周一 周二 周三 周四 周五 周六 周日",
        "month": "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
    },
}


def event_types(language: str) -> list[str]:
    """The keys of the events that `generate_articles` tells about, the same in both languages.

    Raises ValueError for another language than "en" or "zh".
    """
    return list(_load(language)["events"])


def generate_articles(count: int, *, language: str, split: str, seed: int) -> list[dict[str, Any]]:
    """Invented articles, as many as wanted, with the fields of `load_articles`.

    count     how many; the event types take turns
    language  "en" or "zh"
    split     "train", "validation" or "test": phrasings, fillers and names of their own;
              "names": the phrasings and fillers of "train" with the names of "test"
    seed      integer of at least 0; the same seed gives the same articles
    Returns fresh dictionaries. Nothing in them happened; no name is in the hand-written corpus.

    Raises ValueError or TypeError that names the argument.
    """
    _check.length(count=count, seed=seed)
    data = _load(language)
    if split not in SPLITS:
        raise ValueError(f"split: expected one of {', '.join(SPLITS)}, got {split!r}")
    fillers = _share(data["fillers"], split)
    names = _Names(language, "test" if split == "names" else split, np.random.default_rng(seed))
    types = list(data["events"].items())
    records = []
    for number in range(count):
        event, kind = types[number % len(types)]
        phrasing = names.one(_share(kind, split))
        record = {
            "id": f"{language}-g-{event}-{number:06d}",
            "language": language,
            "topic": kind["topic"],
            "style": phrasing["style"],
            **_write(phrasing, kind["slots"], fillers, names),
            "rubric": dict(phrasing["rubric"]),
            "importance": 1 + sum(phrasing["rubric"].values()),
            "event": event,
            "split": split,
            "synthetic": True,
            **{key: data[key] for key in ("source", "license")},
        }
        record["names"] = [name for name in names.invented() if name in record["content"]]
        records.append(record)
    return records


def _load(language: str) -> dict[str, Any]:
    if language not in LANGUAGES:
        raise ValueError(f"language: expected 'en' or 'zh', got {language!r}")
    file = resources.files("companion.news").joinpath(f"data/events/{language}.json")
    return json.loads(file.read_text("utf-8"))


def _share(texts: dict[str, Any], split: str) -> list[Any]:
    """The split's part: what is held out alternates between validation and test."""
    if split in ("train", "names"):
        return texts["train"]
    return texts["held_out"][("validation", "test").index(split) :: 2]


def _write(
    phrasing: dict[str, Any], slots: dict[str, Any], fillers: list[str], names: "_Names"
) -> dict[str, Any]:
    """Title, content, summary and carries: choices made, slots filled, 0 to 3 fillers put in."""
    rng, names.used = names.rng, {}
    texts = [phrasing["title"], phrasing["summary"], *phrasing["sentences"]]
    texts = [names.choose(text) for text in texts]
    used = dict.fromkeys(re.findall(_SLOT, " ".join(texts)))
    values = {slot: names.draw(slots[slot]) for slot in used}
    title, summary, *sentences = (_fill(text, values) for text in texts)
    marked = [(at in phrasing["carries"], text) for at, text in enumerate(sentences)]
    for turn, at in enumerate(rng.permutation(len(fillers))[: rng.integers(4)]):
        text = names.choose(fillers[at])
        kinds = {slot: [2, 90] if slot == "number" else slot for slot in re.findall(_SLOT, text)}
        others = {slot: names.draw(kind) for slot, kind in kinds.items()}
        first = turn == 0 and rng.random() < 0.15  # else the news would never start later
        place = 0 if first else rng.integers(1, len(marked) + 1)
        marked.insert(place, (False, _fill(text, others)))
    gap = " " if names.language == "en" else ""
    return {
        "title": title,
        "content": gap.join(text for _, text in marked),
        "summary": summary,
        "carries": [at for at, (carries, _) in enumerate(marked) if carries],
    }


def _fill(text: str, values: dict[str, str]) -> str:
    return re.sub(_SLOT, lambda slot: values[slot[1]], text)


class _Names:
    """Draws what stands in the slots of one article, nothing twice."""

    def __init__(self, language: str, pool: str, rng: np.random.Generator) -> None:
        self.language, self.pool, self.rng = language, pool, rng
        self.used: dict[str, Any] = {}  # value → kind, in this article
        written = [name for article in load_articles(language) for name in article["names"]]
        self.taken = set(written) | {word for name in written for word in name.split()}

    def one(self, options: Any) -> Any:
        return options[int(self.rng.random() * len(options))]  # faster than `integers`

    def choose(self, text: str) -> str:
        """One of each <a|b|c>."""
        return re.sub(r"<([^<>]*)>", lambda choice: self.one(choice[1].split("|")), text)

    def draw(self, kind: Any) -> str:
        """A value of the kind: a number, a day, or an invented name; new to article and corpus."""
        for _ in range(100):
            value = self.value(kind)
            invented = value.split() if kind == "person" else value.split()[:1]
            if value not in self.used and not self.taken.intersection([value, *invented]):
                break
        self.used[value] = kind
        return value

    def invented(self) -> list[str]:
        """The names in use, without numbers and days."""
        named = [value for value, kind in self.used.items() if isinstance(kind, str)]
        return [value for value in named if self.used[value] not in _CALENDAR[self.language]]

    def value(self, kind: Any) -> str:
        if not isinstance(kind, str):
            low, high, *decimal = kind
            if decimal:
                return f"{self.rng.integers(round(low * 10), round(high * 10) + 1) / 10:.1f}"
            number = int(self.rng.integers(low, high + 1))
            return f"{number:,}" if self.language == "en" and number >= 10_000 else str(number)
        kind, colon, last = kind.partition(":")
        if kind in _CALENDAR[self.language]:
            return self.one(_CALENDAR[self.language][kind].split())
        last = self.one((last if colon else _KINDS[self.language].get(kind, "")).split("|"))
        if kind == "person":
            return self.person()
        word = self.word("brand" if kind in _BRANDS else "place")
        return f"{word} {last}".rstrip() if self.language == "en" else word + last

    def word(self, ends: str) -> str:
        return "".join(
            self.one(part.split() if self.language == "en" else part)
            for part in (_STARTS[self.language][self.pool], _ENDS[self.language][ends])
        )

    def person(self) -> str:
        if self.language == "en":
            return f"{self.word('given')} {self.word('family')}"
        given = [self.one(_ENDS["zh"]["given"]) for _ in range(self.rng.integers(1, 3))]
        return self.one(_SURNAMES[self.pool]) + "".join(given)
