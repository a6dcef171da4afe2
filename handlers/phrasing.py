"""The command in a whole sentence, for sentences that certainly speak of a task: they name it, quote it or address the bot.

Clause by clause. A clause that asks, denies, waits for something or tells of somebody else commands nothing; what it
leaves is a question about the task. `commands` reads short messages; here "1123-001需要延期一天，灯具要从市里调" is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from handlers import saying
from handlers.commands import WORDED

US = r"(?:我们?|我局|我单位|我所|我中心|咱们?|俺们?|本单位|本局)"
N = r"[\d一二两三四五六七八九十半几]{1,3}个?(?:天|日|周|星期|小时|钟头|工作日|月)"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to say a verb. `sure` words are a command whoever says them; others only where the step is theirs to take."""

    verb: str
    sure: bool
    pattern: re.Pattern[str]
    word: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A verb found in a clause: the word (as commands name it), the rest of the message without the bare command."""

    verb: str
    word: str
    sure: bool
    rest: str
    order: int = 0


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a sentence asks for, likeliest first; whether it asks instead; and the verbs it names without meaning them."""

    hits: tuple[Hit, ...] = ()
    asks: bool = False
    barred: frozenset[str] = frozenset()


@cache
def _compiled() -> tuple[Way, ...]:
    """The table as patterns, compiled with the first whole sentence: a start does not wait for it."""
    return tuple(_ways())


def _ways() -> Iterator[Way]:
    for verb, word, sure, soft in _TABLE:
        for certain, source in ((True, sure), (False, soft)):
            if source:
                yield Way(verb, certain, re.compile(source), word)


_TABLE: tuple[tuple[str, str, str, str], ...] = (
    ("exempt_no", "不同意豁免", r"不(?:同意|批准?|准|予|能)(?:超时)?(?:豁免|免责|免予?于?考核)|(?:豁免|免责)(?:我|申请)?(?:不同意|不批|不予|不行)", ""),
    ("exempt_ok", "同意豁免", r"(?<!不)(?:同意|批准|准予|准许)[^,]{0,4}(?:豁免|免责|免于考核|不计超时)|(?:豁免|免责)(?:申请)?,?我?(?:同意|批准|批了|准了)", ""),
    ("exempt", "豁免", r"豁免|免责|免[于予]?考核|(?:不|别)(?:要)?(?:计|算|作|按|记)(?:入|为|作|成|我们)?超时|[免剔]除超时", ""),
    ("deny", "不同意", r"不同意|不批准|不批|不予(?:批准|同意|延期|挂账)|驳回", r"不(?:给|让|能|许|准|可以?)(?:再)?(?:延期?(?:了|$|,)|挂账)|没必要(?:延|挂)|不准"),
    ("grant", "同意", r"(?<!不)(?:同意|批准|准予|准许|批了|准了)|(?:可以|行|能|给你们?|给他们|就)延(?!误)|^延(?:期)?吧$", r"^(?:可以|行|准|批|好的?|没问题|ok|中)(?:吧|了|的)?$"),
    ("force_close", "强制办结", r"(?:强制|强行|特批|直接|先行)(?:办结|结案|结单|关闭|销号)", ""),
    ("reject", "不予受理", r"不予?(?:受理|立案)|不符合(?:受理|立案)(?:条件|范围|标准|要求)?|(?:不在|不属于?)受理范围|不收这", ""),
    ("appeal", "申诉", r"申诉|申述|不服|有异议|复议", ""),
    ("verify_fail", "返工", r"不合格|不达标|返工|(?:不|没|没有|未)(?:能|予|让|可以|给|该)?通过|(?:通?过|验收)不了|重做|打回|不认可|不过关|过不了关|重新(?:弄|做|搞|整)", saying.BAD),
    ("reopen", "重开", r"重开|重启|重新(?:打开|办理|处理|立案|派人|开)|开回来|重办|再打开", r"又(?:坏|灭|堆|贴|脏|堵|漏|冒|犯|出现|反弹|不亮|来|满|塌|开始|回潮|占|乱|破|掉|不行|臭|黑)|反弹|回潮|复发|死灰复燃|没(?:过)?(?:几|两|一)天"),
    ("verify_ok", "通过", r"(?:核查|验收|检查)?(?:合格|通过|达标|过关)|验收(?:完|好|OK|ok|了)|(?:可以|同意|请|能|给|予以?|准予|就|麻烦)(?:办结|结案|结单|销号|销单|关单|结了)|(?:办结|结案|销号)(?:吧|了吧|即可)?$", ""),
    ("return_", "退单", r"退单|退回|退掉|退了|退给|退件|(?:要|想|申请|得|给)退(?:一下|吧)?$", rf"(?:不是|不归|不属于?|不该(?:归|由|是)?|不由|没归|不算){US}|非{US}|{US}(?:这边|这里)?(?:管不了|不管|管不着|不负责|没这个?职责|没有?权限|不承担)|找错|派错|分错|不在{US}?.{{0,4}}(?:范围|职责|辖区)|(?:该|应该?|应当|属于?|归)[^,]{{1,8}}(?:管|负责|职责|处理)"),
    ("joint", "会办", r"会办|协办|牵头|联合(?:办理|处置|处理)|共同(?:办|处理|负责)", r"一起(?:办|处理|去|弄)|配合"),
    ("reassign", "改派", r"改派|转派|派给|派单|派到|派往|转办|转给|转到|转交|移交|划给|分给|交给|交由|改由|改给|裁定", r"(?:该|应该?|应当|属于?|归|由|给|让)[^,]{1,10}(?:管|负责|职责|处理|办理?|来办|牵头|承办|去弄|去)"),
    ("extend", "延期", rf"延期|延长|宽限|展期|顺延|延缓|推迟|延后|延(?={N})|延到|(?:多给|再给|缓|宽|晚|多要|再要|拖)(?:{US})?(?={N})", ""),
    ("resume", "恢复办理", r"恢复(?:办理|处理|计时)|继续(?:办|处理)|(?:解除|取消|结束|撤销|销)挂账|解挂|重新启动", ""),
    ("suspend", "挂账", r"挂账|挂起|暂缓|暂停(?:办理|计时)|缓办|先挂", ""),
    ("merge", "并案", r"并到|并入|并进|并案|并过|合并|并给|并在|归并|合到|合成|并成|并为|合在|算一个|按一个", r"(?:是|属于?)(?:同)?一(?:个|处|件|回|码)|重复"),
    ("split", "拆分", r"拆分|拆开|拆出|分开|单独(?:办|处理|立|算)|取消并案", r"不(?:是|算)(?:同)?一(?:处|个|件|回|码)"),
    ("withdraw", "撤回", r"撤回|撤销|撤掉|撤单|撤了|撤下|作废|销掉|不报了|不用报|取消(?=$|了|吧|这|该|掉|上报|工单)", r"报错了|报重了|误报|发错了|不用(?:处理|来|派)"),
    ("urge", "催办", r"催(?!款|收|缴|费|化|熟)|督促|督办|加急|提醒(?:一下|下|他|承办|责任)", r"抓紧|赶紧|尽快|尽早|快(?:点|些|着)|盯(?:一下|着|紧)|别(?:再)?拖"),
    ("correct", "改地点", r"(?:地点|位置|地址|地方)(?:写|报|填|定|标)?(?:不对|错了?|有误|不准|应该?(?:是|为|在)|应为|改(?:成|为|到)|更正为?)|改(?:一下)?(?:地点|位置|地址)|(?:地点|位置|地址)(?:写|报|填)(?:错|反)", ""),
    ("correct", "改类别", r"(?:类别|类型|分类)(?:写|报|填|定|选)?(?:不对|错了?|有误|应该?(?:是|为)|应为|改(?:成|为)|更正为?)|改(?:一下)?(?:类别|类型|分类)", ""),
    ("arrive", "到场", rf"到场|到(?:达)?现场|到达|(?:人|队伍|师傅|工人|车|{US})(?:已经?|都|刚)?(?:经)?到了?$|(?:已经?|刚|刚刚)(?:到|在)(?:了|那|这|场|地方|位)?|(?:人|{US})?(?:已经?)?在现场(?:了|$)", ""),
    ("accept", "签收", r"签收|接单|收单|认领|接(?:下|了|手|走|收|着)|领(?:了|走|下)|这单接|单子接", rf"收到|{US}(?:单位|局|所|队)?(?:这就|马上|立即|来|去|这边|先)*(?:接|办|处理|管|弄|整|搞|跟|负责|承办|落实)|(?:是|归|属于?){US}(?:的|管)|^(?:已经?|马上|这就|立即)?(?:安排|派)(?:了)?人|交{US}|{US}安排"),
    ("feed_back", "反馈", r"反馈|(?:办理|处理|处置)(?:情况|结果)", ""),
    ("look_up", "查", r"到哪|进度|进展|[啥什]么?情况|怎么?样|咋样|咋[整个办]|查(?:一下|下|询|看)|哪一?步|结果(?:呢|如何|咋)|现在是|在谁手|状态", ""),
)  # fmt: skip

FACTS = frozenset({"accept", "arrive", "feed_back", "verify_ok"})  # what somebody says has happened, by his own doing
_CLAUSE = re.compile(r"[^,。;!?\n\s~…]+\??")
_ASKS = re.compile(
    r"\?|[吗么嘛]$|呢$|没有?$|(?:了|过|通过|合格|签收|办结|同意|行|好)不$|是不是|能不能|要不要|可不可以|有没有|行不行|对不对|该不该|用不用|是否|能否|可否"
    r"|谁|怎么|怎样|咋|(?<!没)(?<!没有)(?:什么|啥)|(..?)不\1|哪[个位里儿家天些一]|到哪|何时|为何|多久|几点|几时|多少"
)
_WISH = re.compile(r"(?:能不能|能否|可否|可不可以|可以|行不行|看能)|(?:一下|下)吗")
_WISHED = frozenset(
    {"extend", "suspend", "exempt", "urge", "joint", "split", "withdraw", "reassign", "merge", "reopen"}
)
_DENIED = re.compile(
    r"(?:没有?|未|别|不|甭|莫|勿|尚未|从未|拒绝|反对|谈不上|算不上|难以?|无法|无需|无须|没必要)"
    r"(?:要|用|能|想|可以?|必要?|必须|需要?|准|许|会|得|急着?|忙着?|算|让|给|同意|太|很|大|怎么|打算|准备|应该?|应当|是|敢|曾|及时|来得及|按时|再|先|去|有|人|谁"
    r"|申请|办理?|建议|宜|支持|赞成|见得|一定|主张|愿意?|希望|肯|随便|着急|考虑|到|做|这么|到时候?|正式|完全|全部|都|我们?|他们?|你们?|就)*$"
)
_DENIED_AFTER = re.compile(
    r"个?不(?:了|成|得|起|行|能|可以|合适|对|现实|好|通|够)|没(?:必要|用|戏|法|门|有?意义)|无(?:必要|法)|是不"
)
_ATTRIBUTE = re.compile(
    r"得|率|人员|情况(?!如下|[::是])|时间|时限|时效|照片?|图|材料|记录|过程|流程|标准|表|单(?!位|了|吧|$)|台账|后|之[后前]|以[后前]|前|时|期间"
    r"|的(?![吧了话]|$)|环节|状态|手续|通知|规定|制度|权限|次数|功能|按钮|键|两个字|一栏|数|比例|这[个一]?步|意见|依据|条件|办法|方案|报告|名单|群|快|慢|早|晚|及时|速度|才|不及时|要[求看先有经带写拍附及]|需|应|必须|会(?!同|办)"
)
_OTHERS = re.compile(
    r"[他她](?:们|说)?|人家|对方|大家都|有人|谁|别的?人|听说|据说|说(?:是|要|已|可以|不|没|过)|以为|记得|好像|似乎|可能|估计|大概|也许|应该是?|据|万一|如果|要是|假如|倘|除非|只要|一旦|若"
)
_SAID = re.compile(
    r"听说|据说|他说|她说|说(?:是|已)|以为|万一|如果|要是|假如|倘|除非|只要|一旦|若|别人|谁|比如|例如|像|以前|上次|上回|当时|昨天就|早就|曾经"
)
_LATER = re.compile(
    r"明[天早日晚]|后天|今晚|稍[后候]|待会|等会?|[一过]会|回头|随后|晚点|之后|以后|分钟后?|小时后?|天内|这就去|准备|打算|计划|争取|预计|将|想|尽快|抓紧|赶紧|尽早|立即|立刻"
    r"|请|让|叫|通知|催|督促|麻烦|辛苦|帮|务必|需要?|应该?|该|才|再|昨[天日晚]|前[天日]|上[周月次回]|早就|当时|以前|曾|你们?|您|各位|贵|要|会|能|可以|先去|正|快|还差|差不多|争取|保证|负责"
)
_DONE_NOW = re.compile(r"(?:已经?|刚刚?|现已|都|均|全部|看了?|可以|能|同意|给|请|来|就)$")
_IF = re.compile(r"^(?:如果|要是|假如|倘若|万一|除非|等|待|一旦|若|只要)")
_THEN = re.compile(r"^(?:就|再|才|那就|那|则|我们?(?:就|再|才)|只能|得|到时候?)")
_FILL = re.compile(
    r"需要|申请|请求|请予?以?|麻烦|帮忙?|我们?|咱们?|俺们?|我局|我单位|本单位|本局|要|想|得|一下|下|了|吧|把|给|这个?|该|此|工?单子?|单|件|予以?|先|只能|啊|哈|呀|哦|的|作|做|处理|:|、|-|—|\)|\("
)


def read(plain: str) -> Spoken:
    """Read the folded words of a message, its task numbers taken out."""
    clauses = _CLAUSE.findall(plain)
    found: dict[str, Hit] = {}
    barred: set[str] = set()
    asks, supposed = False, False
    for place, clause in enumerate(clauses):
        asking = bool(_ASKS.search(clause))
        asks = asks or asking
        if supposed and _THEN.search(clause):
            continue
        for way in _compiled():
            if way.verb in found and (found[way.verb].sure or not way.sure):
                continue
            if hit := _hit(way, clauses, place, asking, barred):
                found[way.verb] = hit
        supposed = supposed or bool(_IF.search(clause))
    hits = [hit for hit in found.values() if hit.verb != "look_up"]
    hits += _softly(plain, clauses, found) if not asks else []
    if _UNDER_WAY.search(plain):
        hits = [hit for hit in hits if hit.sure]
    if any(hit.verb == "verify_ok" for hit in hits) and _SPOILT.search(plain):
        hits = [hit for hit in hits if hit.verb != "verify_ok"]
    hits.sort(key=lambda hit: not hit.sure)
    return Spoken(tuple(hits), asks or "look_up" in found, frozenset(barred - found.keys()))


_UNDER_WAY = re.compile(r"等等|别急|正在|在弄")
_SPOILT = re.compile(r"残留|没清|没修|没弄|不干净|不到位|还是(?:没|不)|不行|返工|不合格|但|除了")


def _hit(way: Way, clauses: list[str], place: int, asking: bool, barred: set[str]) -> Hit | None:
    clause = clauses[place]
    for found in way.pattern.finditer(clause):
        before, after = clause[: found.start()], clause[found.end() :]
        if asking and not (way.verb in _WISHED and _WISH.search(clause) and (len(clauses) > 1 or re.search(N, clause))):
            return None
        if way.verb == "look_up":
            return Hit("look_up", "查", True, "")
        if _blocked(way, before, after):
            barred.add(way.verb)
            continue
        rest = _rest(way, clauses, place, found)
        return Hit(way.verb, _word(way, clause), way.sure, rest, place)
    return None


def _blocked(way: Way, before: str, after: str) -> bool:
    """Whether the words around a verb deny it, make a noun of it, put it off or tell it of somebody else."""
    before = _WISH.sub("", before)
    if _DENIED.search(before) or _DENIED_AFTER.match(after) or _SAID.search(before) or _UNREAL.match(after):
        return True
    return _is_noun(way, after) or (_not_yet(way, before) if way.verb in FACTS else _not_meant(way, before, after))


_UNREAL = re.compile(r"的话|再说|就好")


def _is_noun(way: Way, after: str) -> bool:
    if not way.sure or way.verb == "correct" or (way.verb in ("extend", "suspend", "exempt") and after[:1] in "要需"):
        return False
    return bool(_ATTRIBUTE.match(after))


def _not_yet(way: Way, before: str) -> bool:
    """A fact told of later, of somebody else, or as an order to somebody else."""
    if way.verb == "verify_ok" and before.endswith(_BY_FORCE):
        return True
    if way.verb in ("arrive", "feed_back") and _AT_ONCE.search(before):
        return True
    near = _MODAL.sub("", before) if _DONE_NOW.search(before) else before
    return bool(_OTHERS.search(before) or (_LATER.search(near) and not _ALREADY.search(near)))


_BY_FORCE = ("强制", "强行", "特批", "直接", "先行")
_AT_ONCE = re.compile(r"马上|立[即刻]|这就")
_MODAL = re.compile(r"(?:可以|能|同意|给|请|来|就)$")
_ALREADY = re.compile(r"(?:已经?|刚刚?|现已)$")


def _not_meant(way: Way, before: str, after: str) -> bool:
    if way.verb == "verify_fail" and (_FOR_NOW.search(before) or _UNDER_WAY.search(before + after)):
        return True
    if way.verb in ("return_", "reopen", "verify_fail", "withdraw", "reject", "force_close"):
        return bool(_PUT_OFF.search(before)) or after.startswith("也")
    return bool(_AFRAID.search(before))


_FOR_NOW = re.compile(r"(?:暂时?|先)$")
_AFRAID = re.compile(r"[他她]们?|有人|怕|担心|避免|防止|以免|免得")
_PUT_OFF = re.compile(rf"{_AFRAID.pattern}|等|待|准备|打算|让|叫|防")


def _word(way: Way, clause: str) -> str:
    """Which request a yes or no is about, where it says so."""
    if way.verb in ("grant", "deny"):
        return way.word + ("挂账" if re.search("挂", clause) else "延期" if "延" in clause else "")
    return way.word


def _rest(way: Way, clauses: list[str], place: int, found: re.Match[str]) -> str:
    """What is said besides the bare command: its reason, or what it names."""
    clause = clauses[place]
    if way.verb == "correct":
        later = clause[found.end() :].strip(":")
        return ",".join(part for part in (later, *clauses[place + 1 :]) if part)
    bare = not _FILL.sub("", clause[: found.start()] + clause[found.end() :])
    if way.verb in WORDED and not way.sure:
        return ",".join(clauses)
    if way.verb == "feed_back":
        later = clause[found.end() :].strip(":-、") if not _FILL.sub("", clause[: found.start()]) else clause
        return ",".join(part for part in (*clauses[:place], later, *clauses[place + 1 :]) if part)
    return ",".join(part for n, part in enumerate(clauses) if not (n == place and bare))


def _softly(plain: str, clauses: list[str], found: dict[str, Hit]) -> list[Hit]:
    """Work that is done, and a check that says so in other words."""
    more: list[Hit] = []
    if "feed_back" not in found and saying.done(plain):
        more.append(Hit("feed_back", "反馈", False, plain))
    if "verify_ok" not in found and saying.content(clauses):
        more.append(Hit("verify_ok", "通过", False, ""))
    return more
