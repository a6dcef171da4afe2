"""Is a message a question at all, is it about taxes, and does it carry numbers that do not belong in a group?"""

from __future__ import annotations

import re
from dataclasses import dataclass

from config.faq.vocabulary import Vocabulary
from digests.screening import IN_TAX, find_personal, mask
from handlers.faq.normalise import Rewriter, widen

PRIVATE = frozenset({"id", "uscc", "phone", "bank", "passport"})  # a landline or e-mail is masked without a word

ASKS = re.compile(
    r"[?？]|吗|么$|呢$|怎|咋|啷个|点样|如何|什么|啥|甚么|多少|几[个号点月天年万%时]|哪|谁|为何|是否|是不是|能不能|可不可以|可否|能否|行不行|有没有|要不要|用不用|"
    r"需不需|得不得|算不算|会不会|该不该|不[?？。]?$|没[?？。]?$|多久|多长|好久|好多|几多|何时|请问|咨询|请教|想问|求教|区别|中不中|得行|(?:想|要|需要|打算)(?:再|去|来)?(?:办|开|代开|申请|了解|知道|查|改|换|报|缴|加|注销|变更|领|补)(?!了|完|好)"
)
MATTER = re.compile(
    r"(?:申报|登录|登陆|提交|上传|打开|开票|缴款|扣款|下载|保存|验证|操作|打|进|开|报|交|登|扣|用|查|签)不(?:了|上|出来?|开|进去?|成功?|到)|失败|报错|出错|卡住|卡死|死机|闪退|"
    r"被锁|锁死|锁了|锁定|打不开|进不去|没反应|异常|白屏|提示.{0,12}(?:错误|失败|不能|无法|不存在|没有权限)|无法(?:申报|登录|提交|开票|打开|使用)|系统.{0,4}(?:崩|坏|瘫|维护)|"
    r"还没.{0,4}(?:批|审|过|到|下来|通知|处理|反应|收到|动静|入库|解除|出来|好)|(?:一直|老是|总是)(?:不|没|卡|转|提示|显示|失败)|(?:仍|还|却|但)(?:然|是)?显示|显示.{0,6}(?:欠|未|没|错|失败|异常)|"
    r"帮忙?(?:催|查|解|改|处理|看)|催一?下|(?:被|给)(?:认定|列入|列为|冻结|锁定|停用|扣了)|非正常户?了|扣了(?:两|2|好几|多)次|收不到验证码|断(?:网|电|水)了|退出来|转圈|"
    r"(?:看|找|查|收|登|选|点|传|加|删|改|认证|识别)不(?:到|了|上|通过?|对)|不显示|对不上|不一致|没(?:到账|收到|生效|动静|通过|更新|反应|扣款|入账)|卡在|被?退回|驳回|通不过|不通过|多扣|重复(?:扣|交|缴)|停(?:用|机|电|水)了|有误|"
    r"锁(?:了|住|死)|解(?:锁|冻)|(?:天|周|星期|月)了.{0,4}(?:没|还|都)|还在(?:审|等|处理)|没(?:有)?(?:审核|处理|解除|退|批)"
)
TOLD = re.compile(
    r"哈哈|嘻嘻|呵呵|收到|辛苦|谢谢|感谢|明白|知道了|晓得了|学到了|原来|松口气|终于|已经.{0,6}了|刚刚?|请各位|请大家|请及时|温馨提示|通知|提醒|转发|招聘|出租|宣传|推广|恭喜|祝|"
    r"累死|忙死|烦死|加班|排了?.{0,4}队|态度|真[好不棒]|早点|别忘|记得|好了$|完了$|搞定|弄好了|报完|交完|愁|心累|心疼|心烦|崩溃|无语|服了|真香|开心|羡慕|可惜|难啊|好贵|又.{1,4}了|太.{1,3}了$|挺.{1,3}$|就行$|等.{0,4}(?:审核|通知)就"
)
PERSON = re.compile(r"转?人工|找.{0,3}(?:专管员|管理员|客服|税务员|工作人员)|专管员.{0,6}(?:电话|是谁|在)")
BARE = 14
STORY = re.compile(r"[了过着吧啊呀啦我你他她咱,，。!！ ]")  # what a statement has and a search has not
TOPIC = re.compile(
    r"(?:政策|规定|标准|条件|流程|材料|资料|税率|征收率|期限|时间|比例|额度|门槛|申请|办理|操作|步骤|依据|口径|方法)$"
)


@dataclass(frozen=True, slots=True)
class Heard:
    """asks: a question; about: names something of taxes; told: a statement or notice; matter: something does not work;
    bare: nothing but what is looked for, as one types it into a search box.
    """

    asks: bool
    about: bool
    told: bool
    matter: bool
    person: bool
    bare: bool = False


class Ear:
    """Listens with the vocabulary's tax terms."""

    __slots__ = ("_terms", "_translate")

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._translate = Rewriter(vocabulary.rewrites)
        tags = {word for kind in ("tax", "taxpayer") for word in vocabulary.tags[kind]} - GENERAL
        self._terms = re.compile(
            "|".join(map(re.escape, sorted({*vocabulary.tax_terms, *tags}, key=len, reverse=True)))
        )

    def __call__(self, text: str) -> Heard:
        plain = widen(text)
        clear = self._translate(plain)
        return Heard(
            asks=_asks(plain) or _asks(clear),
            about=(self._terms.search(plain) or self._terms.search(clear)) is not None,
            told=TOLD.search(plain) is not None,
            matter=MATTER.search(plain) is not None,
            bare=len(plain) <= BARE and STORY.search(plain) is None,
            person=PERSON.search(plain) is not None and len(plain) <= 20,
        )

    def terms(self, text: str) -> frozenset[str]:
        """The tax terms a text names."""
        return frozenset(self._terms.findall(widen(text)))


def _asks(plain: str) -> bool:
    return ASKS.search(plain) is not None or TOPIC.search(plain) is not None


GENERAL = frozenset({"企业", "公司", "个人", "单位", "合伙", "个体", "有限公司", "事业单位", "关税"})


def masked(text: str) -> str:
    """The text with every personal number starred out when one of PRIVATE is in it, else ""."""
    marks = find_personal(text)
    return mask(text, marks, IN_TAX) if any(mark.kind in PRIVATE for mark in marks) else ""
