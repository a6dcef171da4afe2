"""Marks of secrecy by how they stand: alone on a short line, as a sentence of their own, or in brackets.

`digests.screening` knows marks by their words wherever they are; this knows the words that only a document's own mark puts
there, while news and lessons about secrecy use them inside sentences. What stands in quotation marks is spoken of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from digests.screening import GRADE, TERM

SHORT = 32  # characters of a line that stands for itself
BRACKETED = re.compile(r"[【(（\[〔]([^【】()（）\[\]〔〕]{2,28})[】)）\]〕]")
TRIM = " \u3000\t【】[]()（）〔〕<>《》*※—-_=·:：。.!！,，;；"
SENTENCE = re.compile("[。！!；;]")
CLAUSE = re.compile("[。！!；;，,：:]")
GAPS = re.compile(r"[\s\u3000]{1,}")

INSIDE = "内部(?:资料|文件|材料|刊物|参考|使用|明电|通报|传阅|掌握|事项|信息|情况|电报|讲话|文稿|会议纪要|会议材料)"
WARNED = r"[,，、;；\s]*(?:请?注意|妥善|严禁|不得|请勿|禁止|切勿|勿).{0,14}"
NUMBERED = r"\s*(?:第?[0-9〇一二三四五六七八九十]+[期号]?|编号.{0,14}|№.{0,12})"
READERS = "(?:领导|内部|县委|市委|省委|常委|班子|专班|党委|党组|党员干部|本单位|参会|与会|机关|成员|书记|主要负责)"
READ = "(?:参阅|阅知|传阅|掌握|阅读|阅示|知悉|阅存|内部使用|内部学习)"
STRONG = "(?:外传|往外[传发说]|[传发]出去|外泄|外借|翻印|登报|扩散|泄露|对外(?:公开|公布|发布|提供|宣传|传播|透露))"
WEAK = "(?:转发|转载|转传|拍照|截图|复印|复制|摘抄|摘录|引用|上网|录音|公开|记录)"
FORBID = "(?:不得|不准|不要|不可|不许|不能|[严嚴]禁|禁止|[请請]勿|切勿|勿|别|莫)"
NET = "(?:互联网|网络|网上|外网|微信|QQ|朋友圈|短视频|抖音|[\u4e00-\u9fff]{1,3}群|群里)"
BEFORE = "(?:公布|宣布|公示|发布|发文|公开|实施|召开|启用)(?:之)?前"

# a whole short line is one of these
ALONE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("密级标志", f"{GRADE}(?:[级級]|件)?[★☆※·.]*(?:{TERM})?"),
        ("密级标志", f"(?:密件|商密[★☆·]?(?:{TERM})?|涉密(?:文件|材料|资料|件))"),
        ("工作秘密", f"工作秘密[★☆·]*(?:{TERM})?"),
        ("内部资料", f"(?:内部|{INSIDE})(?:{WARNED}|{NUMBERED}|[★☆].{{0,10}})?"),
        ("内部资料", f".{{0,12}}(?:仅供|只供|仅限|只限|限|供).{{0,6}}{READERS}.{{0,6}}{READ}.{{0,14}}"),
        ("内部资料", ".{0,12}(?:仅供|只供|仅限|只限|限|供)内部(?!职工|员工).{0,14}"),
        ("内部资料", f"(?:内参|(?:领导|内部)参阅|国家秘密)(?:{NUMBERED})?"),
        ("收回", ".{0,14}(?:阅|会|学习|用|看)(?:毕|完)?后(?:即|请|予以|统一|及时|必须|一律)?(?:收回|退回|退还|销毁|交回|归还|清退|焚毁|删除).{0,8}"),
        ("不予公开", "(?:此件|本件|本文|此文|该件).{0,4}(?:不予|不宜|不得|不)(?:主动|对外)?公开.{0,8}"),
        ("不予公开", "(?:信息)?公开(?:属性|方式|选项|类别|形式|情况)[:：]?(?:不予公开|不公开)"),
        ("知悉范围", "(?:知悉|传阅|阅知|接触|分发|印发)范围[:：]?.{0,24}"),
        ("电报", "(?:[特加平]急|特提)?[·.]?(?:内部明电|明传电报|密码电报|密电|明电)(?:[·.]?(?:[特加平]急|特提))?"),
        ("禁止外传", f".{{0,18}}{FORBID}.{{0,8}}{STRONG}.{{0,12}}"),
        ("禁止外传", f".{{0,18}}{FORBID}.{{0,6}}{WEAK}.{{0,4}}[、,，和或及].{{0,4}}{WEAK}.{{0,12}}"),
        ("禁止外传", f".{{0,14}}{FORBID}.{{0,6}}(?:上传|转发|转|发|传).{{0,4}}{NET}.{{0,6}}"),
        ("禁止外传", f".{{0,14}}{FORBID}.{{0,4}}{NET}.{{0,6}}(?:传播|转发|发布|公开|传输|传递|上传|扩散|谈论).{{0,6}}"),
        ("禁止外传", f".{{0,6}}{FORBID}.{{0,3}}(?:转发|截图|截屏|外发|翻拍|转给|群发).{{0,3}}"),
        ("不予公开", ".{0,14}(?:暂不|不宜|不便|尚未|暂未|不)对外(?:公开|公布|发布|宣传|报道|透露).{0,8}"),
        ("工作秘密", f".{{0,14}}(?:按|作为)(?:工作秘密|国家秘密|{INSIDE})(?:管理|掌握|保管|处理|对待).{{0,8}}"),
        ("收回", ".{0,10}(?:看完|看后|阅后|读完)(?:就|请|即|后|马上|立即)?(?:删|撤).{0,6}"),
        ("注意保密", ".{0,14}请(?:各位|大家|予以|务必|注意|严格|做好|妥善){1,2}保密.{0,10}"),
        ("注意保密", f".{{0,10}}{BEFORE}.{{0,6}}(?:保密|{FORBID}.{{0,4}}{STRONG}).{{0,10}}"),
        ("注意保密", f".{{0,10}}未[经經](?:批准|允许|同意).{{0,4}}{FORBID}(?:对外)?(?:公布|公开|发布|披露|外传|扩散|提供).{{0,8}}"),
    )
)  # fmt: skip
# wherever it stands
ANYWHERE: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("密级标志", "(?:内部(?:事项|资料|信息|文件|材料)|工作秘密|敏感信息|商密|密级)[★☆]"),
        ("密级标志", f"密[级級]{GRADE}"),
        ("密级标志", rf"(?:^|\n){GRADE}{TERM}(?:$|\n|[^\u4e00-\u9fff])"),
        ("内部资料", "(?:本|以上|上述)(?:材料|资料|文件|通报|信息|件|简报|讲话|情况|内容|名单|数据)(?:均|都)?(?:属于?|系|为)(?:内部|涉密|工作秘密|国家秘密)"),
    )
)  # fmt: skip
# about rights, rumours, people's data or a place, not about this text
OTHER = re.compile(
    "版权|授权|著作权|商业|转载请|本网|本报|本站|本台|谣言|不实|虚假|诈骗|个人信息|个人隐私|隐私|举报|考场|考生|游客|观众|参观|参赛|乘客|展厅|馆内|场内|优惠|会员"
    "|门票|门店|保密法|泄密|案例|违反|培训|宣传|什么是|如何|怎么|公共场所"
)


def marking(text: str) -> str | None:
    """The rule a document's own mark trips, or None. `text` is title, then body."""
    plain = GAPS.sub(lambda gap: "\n" if "\n" in gap[0] else " ", text)
    squeezed = plain.replace(" ", "")
    for name, pattern in ANYWHERE:
        if pattern.search(squeezed):
            return name
    return next((name for unit in _units(plain) if (name := _alone(unit))), None)


def _alone(unit: str) -> str:
    if not 2 <= len(unit) <= SHORT or OTHER.search(unit):
        return ""
    return next((name for name, pattern in ALONE if pattern.fullmatch(unit)), "")


def _units(plain: str) -> Iterator[str]:
    """What may stand for itself: a line, what its brackets hold, a grade that opens it, its last sentences and the clauses of the end."""
    lines = [line.strip() for line in plain.split("\n") if line.strip()]
    for line in (*lines[1:2], *lines[-1:]):
        if not OTHER.search(line[-80:]):
            yield from (_trimmed(clause) for clause in CLAUSE.split(line)[-4:])
    for line in lines:
        yield _trimmed(line)
        yield from (_trimmed(found) for found in BRACKETED.findall(line))
        if (opening := line.split(" ")[0]) != line:
            yield _trimmed(opening) if GRADES.match(opening) else ""
        yield from (_trimmed(sentence) for sentence in SENTENCE.split(line)[-3:])


def _trimmed(unit: str) -> str:
    return unit.strip(TRIM).replace(" ", "")


GRADES = re.compile(GRADE)
