"""What plain words say without a command word: that work is done, that a check passed or failed, or nothing at all."""

from __future__ import annotations

import re
from collections.abc import Sequence

from handlers.commands import folded

_DONE = re.compile(
    r"已经?.{0,8}?(?:清|处理|修|换|补|填|拆|整|加固|疏通|恢复|移|劝离|规范|打扫|解决|落实|完成|扶正|安装|取缔|冲洗|办)"
    r"|(?:清理|处理|清运|清除|铲|修|维修|更换|换|补|填平|拆|整改|疏通|弄|搞|办|移|扫|清扫|打扫|冲洗|冲|扶|装|解决|完成|落实)"
    r"(?:完毕|完成|完|好|到位|干净|掉|走|平|正|结束)*(?:了|毕|到位|干净|完成|好)"
    r"|(?:清|运|拖|搬|铲|刮|刷|割|剪|拆|撕|洗)(?:走|掉|完|干净|光|空)了"
)
_NOT_DONE = re.compile(r"没|未|还不|不了|不好|尚|正在|准备|什么时候|谁|吗|怎么|会议|精神|文件|传达|学习|培训|部署")


def done(text: str) -> bool:
    """Whether words say that something has been dealt with ("清理完了", "井盖已更换"), which only its unit would report."""
    return bool(_DONE.search(text)) and not unfinished(text)


def unfinished(text: str) -> bool:
    """Words that deny it, ask for it, or speak of meetings and papers instead."""
    return bool(_NOT_DONE.search(text))


def verdict(text: str) -> str:
    """What somebody asked to check says without a command word: verify_ok, verify_fail or neither."""
    words = folded(text)
    if _BAD.search(words):
        return "verify_fail"
    return "verify_ok" if _GOOD.fullmatch(words) else ""


BAD = (
    r"不行|不合格|没(?:清|处理|修|好|弄|解决|见|换|补|动|变|亮|人来|搞|整|做)|还有|还是|还在(?!修|清|处理|弄|干|办|做|施工|等|路上)|残留|不干净|不到位|不亮|"
    r"又(?:贴|堆|坏|脏|灭|堵|漏)|未(?:清|处理|修|换|补)|原样|糊弄|敷衍|应付|没有(?:清|处理|修|解决|弄)"
)
_BAD = re.compile(BAD)
_GOOD = re.compile(
    r"(?:好了?|好的|可以了?|行了?|ok|OK|满意|没问题|不错|干净了?|清了|修好了?|解决了?|看过了?|合格|谢谢|辛苦了?|很|非常|挺|都|已经?|[,。!、\s])+"
)


def content(clauses: Sequence[str]) -> bool:
    """Whether clauses say that somebody looked and is content; thanks and plans say neither."""
    return any(_CONTENT.search(clause) for clause in clauses) and all(map(_LOOKED.fullmatch, clauses))


_CORE = r"没(?:有|啥|什么)?(?:毛病|问题|意见)|好了|可以了?|行了|中了?|满意|不错|干净|亮了|通了|平了|解决|正常|到位|修好|弄好|处理好|清理好|补好|换好|搞好|整好|ok|OK|漂亮|放心"
_ROUND = (
    r"我们?|俺|已经?|刚才?|今天|早上|上午|中午|下午|晚上|现场|实地|去|来|路过|看|瞧|过|了|一下|查|核实|核对|照片|确实|真的?|都|全|很|挺|非常|比较|蛮|现在|目前|也|问题|路灯|灯|井盖|"
    r"小广告|垃圾|地上|那边|这边|那里|谢谢|感谢|辛苦|大家|师傅|同志|张队|的|得|啦|呀|吧|哈|[!、]"
)
_CONTENT = re.compile(_CORE)
_LOOKED = re.compile(rf"(?:{_ROUND})*(?:{_CORE}|谢谢|感谢|辛苦了?)(?:{_ROUND}|{_CORE})*|(?:{_ROUND})+")


def asks_progress(text: str) -> bool:
    """Whether somebody who spoke to the bot wants to know how things stand."""
    return bool(_PROGRESS.search(text))


_PROGRESS = re.compile(r"进度|进展|到哪|怎么样了|办好|处理了|办了|有结果|查")


def greets(text: str) -> bool:
    """Words to everybody that begin with a greeting answer no question, whatever follows."""
    return bool(_GREETING.match(folded(text)))


_GREETING = re.compile(r"(?:大家|各位|领导|同志们|家人们)?.{0,2}(?:早上|上午|中午|下午|晚上)?好[,!。\s]")


def noise(text: str) -> bool:
    """Words that answer nobody: thanks, greetings, acknowledgements."""
    return not text.strip() or bool(_NOISE.fullmatch(folded(text).lower().replace(" ", "")))


_NOISE = re.compile(
    r"(?:好|好的|好滴|收到|嗯+|哦+|ok|okay|谢谢|多谢|感谢|辛苦了?|知道了?|明白|了解|稍等|等下|等一下|马上|早上好|大家好|中午好|下午好|"
    r"晚上好|在吗|哈+|呵+|对|是的?|可以|行|没事|不客气|赞|厉害|领导|各位|大家|你们?|您|您好|你好|了|啊|呀|哈|[!,。.~?、]|\[[^\]]{1,6}\])+"
)
