"""The office's own words, checked before they are used: known names, known fields, short enough to be read in a chat."""

from __future__ import annotations

from collections.abc import Mapping

from config.cells import INVISIBLE
from config.errors import ConfigError, Fault, Rejected
from handlers.reports import texts as reports
from handlers.tasks import texts as tasks

LINES, LENGTH = 3, 120  # ux.md F2.2
PARTS: dict[str, Mapping[str, str]] = {
    "工单各步的通知": tasks.TEXTS,
    "不能办时的回答": tasks.REFUSALS,
    "上报时的追问": reports.TEXTS,
}
SHIPPED = {name: words for part in PARTS.values() for name, words in part.items()}
FIELDS = {  # what stands in a field, and an example of it
    "number": ("单号", "1122-017"),
    "where": ("地点", "人民路"),
    "category": ("类别", "井盖破损"),
    "unit": ("承办单位", "城管局"),
    "own": ("本人单位", "住建局"),
    "officer": ("经办人", " @张强"),
    "person": ("操作人", "张强"),
    "verifier": ("核查员", "钱芳"),
    "who": ("由谁操作", "指挥员"),
    "due": ("时限", "今日18:00前"),
    "time": ("时间", "09:12"),
    "until": ("挂账到期日", "12月31日"),
    "used": ("用时", "12分钟"),
    "state": ("状态", "办理中"),
    "text": ("上报原话", "门口井盖坏了"),
    "words": ("原因或情况", "已更换井盖"),
    "photos": ("照片", "照片2张"),
    "choices": ("选项", "1 城管局 2 住建局 3 其他"),
    "list": ("单号列表", "#1122-017 人民路井盖破损"),
    "missing": ("还差的单位", "住建局"),
    "assistants": ("协办单位", "住建局、交通局"),
    "joined": ("会同单位", "会同住建局"),
    "final": ("裁定说明", "。首接负责，不再退单"),
    "doubts": ("疑点", "两张照片拍的可能不是一处"),
    "reasons": ("理由", "地点相同、照片相似"),
    "punctual": ("是否按期", "按期"),
    "master": ("主单号", "1122-003"),
    "twin": ("另一单号", "1122-003"),
    "count": ("次数或个数", "2"),
    "extensions": ("次数", "2"),
    "days": ("天数", "7"),
    "label": ("操作", "签收"),
    "word": ("口令", "退单"),
    "phone": ("电话", "120"),
}


def own(texts: Mapping[str, str]) -> Mapping[str, str]:
    """The texts as given; ConfigError names every one that cannot be used."""
    faults = [fault for name, words in texts.items() if (fault := _fault(SHIPPED.get(name), name, words))]
    if faults:
        raise ConfigError([Fault("texts.toml", None, None, fault) for fault in faults])
    return texts


def _fault(replaced: str | None, name: str, words: str) -> str:
    if replaced is None:
        return f"没有叫 {name} 的文字"
    strange = tasks.fields_of(words) - tasks.fields_of(replaced) - tasks.ALWAYS
    if strange:
        return f"{name} 不能用 {'、'.join(sorted(strange))}"
    if len(words.splitlines()) > LINES or len(words) > LENGTH:
        return f"{name} 太长，最多{LINES}行{LENGTH}字"
    return ""


def edited(name: str, typed: str) -> str:
    """Words typed on a page, made fit to use in place of ours. Raises Rejected with everything that is wrong."""
    ours = SHIPPED[name]
    words = "\n".join(line.strip() for line in typed.strip().splitlines())
    if ours.startswith("\n"):  # it is hung on to another text
        words = f"\n{words}"
    faults = [fault] if (fault := _fault(ours, "这段文字", words)) else []
    if missing := sorted(tasks.fields_of(ours) - tasks.fields_of(words)):
        faults.append(f"少了{'、'.join(f'{{{field}}}（{FIELDS[field][0]}）' for field in missing)}")
    if not words.strip():
        faults.append("不能为空")
    if INVISIBLE.search(words.replace("\n", "")):
        faults.append("有看不见的字符，请删去重输")
    if faults:
        raise Rejected("；".join(faults) + "。")
    return words


def example(words: str) -> str:
    """A text as somebody would receive it, its fields filled with examples."""
    return tasks.filled(words, {field: said for field, (_, said) in FIELDS.items()})
