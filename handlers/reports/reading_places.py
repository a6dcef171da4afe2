"""Where a report is: the gazetteer first, then the shapes of names it does not know, then the longest sensible span.

"兴华路与长庆街交叉口东南角" is one span; its canonical place is the most particular entry inside it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.county import Place

PARTICULAR = {"landmark": 0, "village": 1, "area": 2, "community": 3, "": 3, "road": 4, "town": 6}

HEAD = (
    "大道|大街|环路|公路|国道|省道|县道|乡道|胡同|路(?![灯面牙沿缘名牌基障标塌断烂坏]|中[间央])|街(?![道面头])|巷(?!子)|弄(?!堂)|"
    "社区|小区|花园|家园|家属院|家属楼|花苑|新村|公寓|佳苑|苑|府(?![前后])|城(?![管市区乡镇建关])|村(?![民道])|屯|庄|寨|村民组|大队|"
    "大桥|石桥|桥|隧道|涵洞|立交|转盘|环岛|广场|公园|游园|绿地|花坛|湿地|景区|水库|码头|渡口|大坝|大堤|河(?![道面水岸滩堤沙底])|渠(?!道)|湖(?!面)|塘|"
    "书店|药店|网吧|支行|操场|工地(?=[半夜围没外])|菜市场|菜场|农贸市场|批发市场|集贸市场|早市|夜市|市场|超市|商场|商城|商厦|百货|大厦|大楼|写字楼|酒店|宾馆|饭店|影城|"
    "幼儿园|小学|中学|高中(?!端)|初中|[一二三四五六]中(?!学)|实验学校|职高|学校|党校|技校|学院|医院|卫生院|卫生室|诊所|保健站|敬老院|福利院|"
    "派出所|税务局|法院|检察院|邮局|邮政|银行|信用社|供销社|镇政府|乡政府|县政府|村委会|居委会|政务中心|政务大厅|党群服务中心|"
    "中心|火车站|汽车站|客运站|车站|加油站|收费站|变电站|水厂|化肥厂|纺织厂|机械厂|厂|工业园|产业园|开发区|园区|"
    "体育馆|体育场|图书馆|文化馆|博物馆|电影院|文化宫|文化站|活动中心|体育中心|医疗中心|寺|庙|祠堂|教堂|塔(?!吊)|牌坊|粮站|水塔|电站|站(?![台牌亭立])|镇(?![政上])|乡(?![镇村道政])|街道办?事?处?"
)
SUFFIX = re.compile(f"(?:{HEAD})")
CORE = re.compile(r"[一-龥A-Za-z0-9]")
STOP = set(
    '的了在到从往向去看把被叫让给和与跟及或是有没不很太又就也都还再请您你我他她它们这那哪谁吗呢吧啊呀啦嘛要能会想说问报：，。！？；、,.!?;:\n\t @（）()“”"【】[]《》等着过得地用拿带'
)
DROP = re.compile(
    r"^(?:群众反映|居民反映|市民反映|有人反映|反映|位于|位置|地点|地址|报告|举报|刚路过|路过|刚才|刚刚|现在|目前|今天|今早|今晚|昨天|昨晚|昨夜|早上|"
    r"上午|中午|下午|晚上|夜里|凌晨|麻烦|领导|各位|大家|一下|位|就在|走|沿|经过|出了|进|由|靠近|通往|进入|发现|巡查|关于|派人来?|请派|来人|快来|县城|我县|本县|"
    r"处理|安排|清理|维修|查看|看看|管管|有个|有处|一处|一个|两个|几个|好几|条|整条|整个|全|又|俺|咱|咱们|每天|放学时候?|最近|马上|尽快)+"
)
COMMON = re.compile(
    r"^.?(?:马|道|铁|线|电|走|修|让|挖|一|半|过|拦|堵|占|挡|上|下|绕|带|回|问|养|开|水泥|柏油|条|主|支|岔|乡村|农村|健身|闸|土|机耕|思|管|整条)路$|"
    r"^(?:上|临|沿|逛|条|满|扫|游|当|主|步行|大|过)街$|^(?:全|整|本|农|新|乡|进|出|各|自然|行政)村$|^.?(?:老旧|住宅|居民)?小区$|"
    r"^(?:县|全|进|古|满|建|创|主|文明)城$|^(?:小|大|架|石|过|天|高架|便|木|断|危|石板)桥$|^.?(?:工|本|药|砖)厂$|"
    r"(?:厕|网|基|泵|驿|网)站$|(?:垃圾|中转|转运|废品|充电)站$|^(?:小|大|淌|成|运|排)河$|^(?:沟|水|灌|排水)渠$|^(?:池|鱼|水)塘$|"
    r"^(?:集|本|各)镇$|^.?乡$|^.?中心$|^(?:路|街)(?:中心)$|^.{0,2}(?:人行|步行|绿|通)道路$|"
    r"^.?(?:市场|超市|商场|学校|医院|广场|公园|桥|绿地|花坛|社区|街道|河|湖|酒店|饭店|宾馆|大楼|银行|诊所|厂|站|塔|庙|菜市场|菜场|"
    r"农贸市场|集贸市场|早市|夜市|立交|涵洞|加油站|车站|水库|公路|景区|园区|学院|府|城|村|镇|街|路|巷|弄|渠|塘|庄|寨|苑|厂|寺)$"
)
LANDSCAPE = re.compile(
    r"(?:河|渠|湖|塘|桥|花坛|绿地|水库|停车场|工地|菜市场|菜场|农贸市场|集贸市场|夜市|早市)(?:道?[里边上下内口头]?)$"
)
GOES_ON = 2  # letters a nameless ending must add to a known name
VERBS = set("倒掉扔撒流散落占堵挡坏烂断破漏冒盏满停贴挂涂晒烧摆砸撞")
JOIN = re.compile(r"[与和跟至到、—~～-]|以及")
TAIL = re.compile(
    r"(?:"
    r"交叉路?口|交汇处|交界处?|十字路口|丁字路口|三岔路口|岔路口|红绿灯路?口|路口|街口|巷口|巷子?口|村口|桥头|桥[下底上]|桥洞|十字|拐[角弯]处?|转[角弯]处?|转盘|"
    r"[0-9一二三四五六七八九十百]+[号#](?:楼|院|门(?![前口]))?|[0-9一二三四五六七八九十]+(?:号楼|幢|栋|单元|组|社|区|期|队|米处?|楼)|[A-Za-z]\d*(?:栋|座|区)|"
    r"[东南西北]+[侧边段面头口门角墙]+|[东南西北]{1,2}(?=[0-9]+米)|[0-9]+米|[左右前后]手?[侧边]|中间?段|末[段端]|沿线|一带|周边|四周|尽头|进村路|"
    r"[正大]?门[前口]|大门|正门|后门|侧门|北门|南门|东门|西门|出入?口|入口|进口|站台|地下通道|"
    r"对面|对过|斜对面|旁边?|边上?|附近|跟前|隔壁|门外|围墙外|后墙|后面|前面|里面|背后|后院|后巷|后街|后头|前头|院内|院里|楼下|楼道|墙根|门洞|跟|上首|往[东南西北]|以[东南西北]|"
    r"口上?|[上下]游|河段|河边|路段|沿河|广场上?|停车场|地下车库|车库|小学|幼儿园|公交站|卫生室|村委会?|文化广场|家属院|家属楼|小区|桥|"
    r"处"
    r")"
)
STRETCH = re.compile(  # how a span is said on: a few letters that name no fault, up to a word of position
    r"(?:的|那个|那条)?[^，。；！？,.;!?\s坏断倒破漏堵满掉亮灭贴挂占摆烧扔漂积垃灯盖被把让在又都全很太请死臭脏乱冒塌有没不杆井线箱牌砖污水]{0,7}?"
    r"(?:对面|对过|旁边?|边上|附近|隔壁|[东西南北前后里外上下左右](?:面|边|头|侧)|[左右]手边|门口|门前|门外|底下|拐角|路口|桥头|"
    r"引桥下面|[一二两三四五六七八九十百几0-9]+米|[0-9]+处|这边|那边|之间|中间|段(?!时)|这一段|那排|第?[一二三四五六七八九十]+个(?:弯|路口)|"
    r"[墙]根|院内|院里|楼道里|楼前|楼后|人行道上|路南|路北|路东|路西|外(?=又|公|有|的|，)|旁)"
    r"|[里内处根]|(?<=路)[南北东西]|那[个条片座][一-龥]{0,2}(?:路|沟|塘|坑|巷|桥|坡|弯道)[里上边]?"
)
UNIT_OF_TALK = re.compile(
    r"(?:县|市|区)?(?:城管|环卫|交警|园林|水利|市政|住建|环保|公安|应急|执法|供电|燃气|热力|自来水)(?:局|所|处|中心|公司|大队|队)?(?:的?同志)?$"
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place found: the gazetteer entry (if any), the span it was said in, and its town."""

    place: Place | None
    text: str
    start: int
    end: int

    @property
    def found(self) -> bool:
        return self.end > self.start


NOWHERE = Spot(None, "", 0, 0)


@dataclass(frozen=True, slots=True)
class _Name:
    start: int
    end: int
    place: Place | None


class Gazetteer:
    """Finds places of one county in a text."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_first: dict[str, list[tuple[str, Place]]] = defaultdict(list)
        seen: dict[str, Place] = {}
        for place in places:
            for name in (place.name, *place.aliases):
                if len(name) > 1 and name not in seen:
                    seen[name] = place
                    self._by_first[name[0]].append((name, place))
        for entries in self._by_first.values():
            entries.sort(key=lambda entry: -len(entry[0]))
        self.names: dict[str, Place] = seen

    def locate(self, text: str) -> Spot:
        """The longest sensible span and the most particular entry in it."""
        return self.best(self.spots(text))

    @staticmethod
    def best(spans: Sequence[Spot]) -> Spot:
        """Of several spans the one with the most particular entry, else the longest."""
        known = [s for s in spans if s.place]
        if known:
            return min(known, key=lambda s: (_rank(s.place), s.start))
        return max(spans, key=lambda s: s.end - s.start, default=NOWHERE)

    @staticmethod
    def said(text: str, spot: Spot) -> str:
        """The span as far as it is said on: 文峰路邮政局对面, 光明胡同里头拐角."""
        end = spot.end
        for _ in range(3):
            further = STRETCH.match(text, end) if spot.found else None
            if further is None:
                break
            end = further.end()
        return text[spot.start : end]

    def spots(self, text: str) -> list[Spot]:
        """Every span that says a place, in order, neighbours joined."""
        known = self._known(text)
        nameless = [n for n in self._unknown(text) if not any(_covers(k, n) for k in known)]
        names = sorted((*known, *nameless), key=lambda n: (n.start, -n.end))
        spots: list[Spot] = []
        for name in names:
            if spots and name.start < spots[-1].end:
                spots[-1] = _wider(spots[-1], name, text)
                continue
            end = _grow(text, name.end)
            last = spots[-1] if spots else None
            if last and _touch(text, last.end, name.start):
                spots[-1] = _joined(last, name, end, text)
            else:
                spots.append(Spot(name.place, text[name.start : end], name.start, end))
        return spots

    def _known(self, text: str) -> list[_Name]:
        out, at = [], 0
        while at < len(text):
            hit = next(((n, p) for n, p in self._by_first.get(text[at], ()) if text.startswith(n, at)), None)
            if hit:
                out.append(_Name(at, at + len(hit[0]), hit[1]))
            at += len(hit[0]) if hit else 1
        return out

    def _unknown(self, text: str) -> list[_Name]:
        out: list[_Name] = []
        for found in SUFFIX.finditer(text):
            if out and found.start() == out[-1].end and _grow(text, found.start()) <= found.end():
                out[-1] = _Name(out[-1].start, found.end(), None)
                continue
            start = _left_edge(text, found.start(), out[-1].end if out else 0)
            core = text[start : found.end()]
            kept = DROP.sub("", core)
            start += len(core) - len(kept)
            if (
                (found.start() - start < 1 and len(kept) < 3)
                or VERBS & set(kept)
                or COMMON.search(kept)
                or UNIT_OF_TALK.search(kept)
            ):
                continue
            out.append(_Name(start, found.end(), None))
        return out


def _left_edge(text: str, at: int, floor: int) -> int:
    start = at
    while start > floor and at - start < 6 and CORE.match(text[start - 1]) and text[start - 1] not in STOP:
        start -= 1
    if at > start > floor and text[start - 1] == "和" and (start == 1 or not CORE.match(text[start - 2])):
        start -= 1  # 和顺大道, not "… 和 顺大道"
    return start


def _grow(text: str, end: int) -> int:
    while tail := TAIL.match(text, end):
        end = tail.end()
    return end


def _touch(text: str, left: int, right: int) -> bool:
    """Whether two names belong to one span: side by side, or joined by 与 和 到."""
    if right <= left:
        return True
    between = text[left:right]
    return bool(JOIN.fullmatch(between)) or between in ("的", "靠近", "上", "靠", "离", "往", " ")


def _joined(last: Spot, name: _Name, end: int, text: str) -> Spot:
    place = last.place if _rank(last.place) <= _rank(name.place) else name.place
    return Spot(place, text[last.start : end], last.start, end)


def _covers(known: _Name, nameless: _Name) -> bool:
    """An entry holds its ground unless a longer name (西环路小学) clearly goes on after it."""
    return known.start < nameless.end and nameless.start < known.end and nameless.end - known.end < GOES_ON


def _wider(last: Spot, name: _Name, text: str) -> Spot:
    """Two readings of the same letters: keep the entry, take the longer span."""
    end = max(last.end, _grow(text, name.end))
    place = last.place if _rank(last.place) <= _rank(name.place) else name.place
    start = last.start if last.place or not name.place else name.start
    return Spot(place, text[start:end], start, end)


def _rank(place: Place | None) -> int:
    return PARTICULAR.get(place.kind, 3) if place else 9


def blank(text: str, spots: Sequence[Spot]) -> str:
    """The text without its places, so that 路灯厂路 says nothing about lamps; the river of 石磨村河里 stays."""
    for spot in reversed(spots):
        said = spot.text.removeprefix(spot.place.name) if spot.place else spot.text
        kept = LANDSCAPE.search(said)
        text = text[: spot.start] + "，" + (kept.group() if kept else "") + text[spot.end :]
    return text
