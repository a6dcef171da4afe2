"""The secrecy tripwire, the personal numbers, and names that pretend."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

import pytest

from digests import screening
from digests.personal import KEEP, PROVINCES, RULES, USCC_ALPHABET, luhn, valid_id, valid_uscc
from digests.screening import (
    IN_REPORTS,
    IN_TAX,
    LIMIT,
    Mark,
    clean_name,
    find_personal,
    find_secret,
    inert,
    mask,
)

# --- secrecy -----------------------------------------------------------------------------------------------------

SECRETS: tuple[tuple[str, str | None], ...] = (
    # the dossier's thirteen: forms named in security.md A.2 and C.3
    ("机密★10年 关于防汛部署的通知", "密级标志"),
    ("绝密★30年", "密级标志"),
    ("秘密★1年\n县委办公室文件", "密级标志"),
    ("机 密 ★ 20 年", "密级标志"),
    ("密级：秘密", "标注密级"),
    ("保密期限：长期", "保密期限"),
    ("转来一份机密级文件，请阅", "密级文件"),
    ("内部资料 注意保存", "内部资料"),
    ("内部使用，不得转发", "内部资料"),
    ("这份属于工作秘密，只发你们看", "工作秘密"),
    ("涉密文件拍给大家看一下", "涉密载体"),
    ("收到明传电报一份，照片如下", "机要电报"),
    ("本通知不得在微信传播", "禁止外传"),
    # ours: marks
    ("绝密☆启用前", "密级标志"),
    ("绝密★启用前 2026年统一考试", "密级标志"),
    ("秘密★", "密级标志"),
    ("秘密⭐5年", "密级标志"),
    ("秘密*5年", "密级标志"),
    ("机密＊１０年", "密级标志"),
    ("機密★十年", "密级标志"),
    ("絕密★長期", "密级标志"),
    ("机\u200b密\u200b★10年", "密级标志"),
    ("机　密★１０年", "密级标志"),
    ("文头：秘密★6个月，请各单位遵照", "密级标志"),
    ("县府办：机密★解密时间另行通知", "密级标志"),
    ("秘密·3年", "密级标志"),
    ("特急 机密★", "密级标志"),
    ("密级:机密", "标注密级"),
    ("密 级： 绝密", "标注密级"),
    ("密級：機密", "标注密级"),
    ("文件密级：内部", "标注密级"),
    ("保密期限：10年", "保密期限"),
    ("保密期限为五年", "保密期限"),
    ("保密期间至2031年12月", "保密期限"),
    ("保密期限 20 年", "保密期限"),
    ("机密级资料在附件", "密级文件"),
    ("绝密级电报请查收", "密级文件"),
    ("秘密级的会议材料发群里了", "密级文件"),
    ("秘密级以上文件两份", "密级文件"),
    ("机密级专用计算机坏了", "密级文件"),
    ("秘密级 测绘 图纸", "密级文件"),
    ("内部资料，严禁外传", "内部资料"),
    ("内部文件 请勿外传", "内部资料"),
    ("仅供内部参考，请勿扩散", "内部资料"),
    ("内部材料 妥善保管", "内部资料"),
    ("內部資料 注意保存", "内部资料"),
    ("内部使用 严禁复印", "内部资料"),
    ("发一份工作秘密给你", "工作秘密"),
    ("工作秘密 传阅后收回", "工作秘密"),
    ("涉密资料放你桌上了", "涉密载体"),
    ("涉密载体今天交接", "涉密载体"),
    ("涉密会议的照片", "涉密载体"),
    ("机要件到了，我拍给你", "机要电报"),
    ("機要文件一份", "机要电报"),
    ("内部明电 发电单位：省厅", "机要电报"),
    ("密码电报已收到", "机要电报"),
    ("【机密】县域方案.docx", "方括密级"),
    ("[绝密] 名单.xlsx", "方括密级"),
    ("（机密）部署图", "方括密级"),
    ("请勿上传到互联网传播", "禁止外传"),
    ("严禁通过QQ、微信转发本件", "禁止外传"),
    ("切勿在朋友圈发布此通知", "禁止外传"),
    ("此密件不得在微信传播", "禁止外传"),
    ("此件不得在外网存储、处理", "禁止外传"),
    ("绝密　特提　全省党政专用电话网", "密级缓急"),
    ("机密 特急 各县委办公室", "密级缓急"),
    ("以下内容仅限办公室主任掌握，不得转发，不得截图", "限制传阅"),
    ("名单仅供常委参阅，请勿外传", "限制传阅"),
    ("材料会后清点销毁，任何人不得复制、摄影", "限制传阅"),
    ("不得抄录、复制，传达后原件收回", "限制传阅"),
    ("【考察材料·不得外传】请各组长修改", "限制传阅"),
    # about secrets, but none
    ("培训讲了涉密材料仅限知悉人员掌握，不得转发", None),
    ("优惠仅限今天，请转发", None),
    ("会后请把桌牌收回，不得随意外带", None),
    ("绝密特攻队今晚上映", None),
    ("非机密 特急", None),
    ("这属于商业秘密", None),
    ("秘密花园明天开园", None),
    ("要增强保密意识", None),
    ("这是公开的秘密", None),
    ("告诉你一个秘密", None),
    ("这事先保密", None),
    ("秘密武器就是这台扫雪车", None),
    ("保守秘密★从我做起", None),
    ("我的小秘密★", None),
    ("密级：无", None),
    ("密级：非密", None),
    ("密级：公开", None),
    ("密级：", None),
    ("合同保密期限三年", None),
    ("绝密级别的美食藏在东街", None),
    ("请勿在群里发涉密文件", None),
    ("严禁用手机拍摄、传输涉密资料", None),
    ("什么是秘密级文件", None),
    ("禁止在微信群传递秘密级文件", None),
    ("这是非涉密文件，可以发", None),
    ("保守国家秘密是公民的义务", None),
    ("保护工作秘密，人人有责", None),
    ("开展保密培训，时长2小时", None),
    ("机要局门口的井盖破了", None),
    ("县保密局组织检查", None),
    ("小区内部道路坑洼", None),
    ("内部资料室的灯坏了", None),
    ("公司内部使用的停车位", None),
    ("不得在网络传播谣言", None),
    ("严禁在微信群发布虚假信息", None),
    ("请勿在群里发送广告", None),
    ("未经证实的谣言不得在网络传播", None),
    ("严禁私自翻印机要文件", None),
    ("网络不通，请派人来看", None),
    ("神秘密室逃脱店消防通道堵了", None),
    ("人员密集场所检查", None),
    ("密密麻麻的小广告", None),
    ("秘书长★先进个人", None),
    ("电报挂号早就没有了", None),
    ("【紧急】水管爆裂", None),
    ("茂密★树木遮挡路灯", None),
    ("密码忘了怎么办", None),
    ("**秘密**花园", None),
)


@pytest.mark.parametrize(("text", "rule"), SECRETS)
def test_marks_of_secrecy_trip_and_talk_about_secrets_does_not(text: str, rule: str | None) -> None:
    secret = find_secret(text)
    assert (secret and secret.rule) == rule


def test_there_are_cases_enough() -> None:
    assert len(SECRETS) >= 73
    assert sum(rule is None for _, rule in SECRETS) >= 30


@pytest.mark.parametrize("rule", screening.RULES, ids=lambda rule: rule.name)
def test_each_rule_and_each_exception_is_needed(rule: screening.Rule) -> None:
    others = [other for other in screening.RULES if other is not rule]
    assert any(find_secret(text, others) != find_secret(text) for text, _ in SECRETS)
    if rule.spare is not None:
        harsh = [*others, screening.Rule(rule.name, rule.level, rule.signs, rule.pattern)]
        assert any(name is None and find_secret(text, harsh) for text, name in SECRETS)


def test_the_strongest_level_wins_and_rules_stand_strongest_first() -> None:
    order = [screening.LEVELS.index(rule.level) for rule in screening.RULES]
    assert order == sorted(order, reverse=True)
    both = find_secret("内部资料 注意保存，机密★10年，不得在微信传播")
    assert both == screening.Secret("密级标志", "block")


def test_a_mark_anywhere_in_a_long_text_is_found_and_beyond_the_limit_nothing_is_kept() -> None:
    assert find_secret("水" * (LIMIT - 6) + "机密★10年")
    long = "水" * (LIMIT + 50)
    assert len(mask(long, find_personal(long))) == LIMIT


# --- personal numbers --------------------------------------------------------------------------------------------

dice = random.Random(20261124)


def digits(count: int) -> str:
    return "".join(dice.choice("0123456789") for _ in range(count))


def make_id() -> str:
    born = date(1935, 1, 1) + timedelta(days=dice.randrange(30000))
    head = f"{dice.choice(sorted(PROVINCES))}{digits(4)}{born:%Y%m%d}{digits(3)}"
    return next(head + sign for sign in "0123456789X" if valid_id(head + sign))


def make_uscc() -> str:
    body = "".join(dice.choice(USCC_ALPHABET) for _ in range(9))
    head = f"{dice.choice(['91', '92', '93', '11', '12', '52', '51'])}{dice.choice(sorted(PROVINCES))}{digits(4)}{body}"
    return next(head + sign for sign in USCC_ALPHABET if valid_uscc(head + sign))


def make_bank() -> str:
    head = dice.choice(["62", "62", "62", "45", "52"])
    size = dice.choice([16, 17, 18, 19]) if head == "62" else 16
    body = head + digits(size - 3)
    return next(body + sign for sign in "0123456789" if luhn(body + sign))


def make_phone() -> str:
    return f"1{dice.choice('3456789')}{digits(9)}"


def make_landline() -> str:
    area = dice.choice(["010", "021", "027", "0713", "0755", "0371"])
    return area + dice.choice("2345678") + digits(7 if len(area) == 3 else dice.choice([6, 7]))


def make_plate() -> str:
    body = "".join(dice.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(3)) + digits(1)
    tail = dice.choice([dice.choice("0123456789"), dice.choice("挂学警"), digits(1) + dice.choice("DF")])
    return dice.choice("京沪鄂粤苏川") + dice.choice("ABCDEFGHJ") + body + tail


def make_email() -> str:
    return f"{dice.choice(['li.wei', 'zhang_3', 'tax-2'])}{digits(3)}@{dice.choice(['163.com', 'qq.com', 'xx.gov.cn'])}"


def make_passport() -> str:
    return dice.choice(["E", "G", "EA", "H", "M"]) + digits(8)


MAKERS: dict[str, Callable[[], str]] = {
    "id": make_id,
    "uscc": make_uscc,
    "bank": make_bank,
    "phone": make_phone,
    "landline": make_landline,
    "plate": make_plate,
    "email": make_email,
    "passport": make_passport,
}
FRAMES = (
    "{}",
    "我的是{}，谢谢",
    "麻烦登记 {} 一下",
    "东风路路灯不亮，请联系{}。",
    "3号楼2单元：{}（本人）",
    "2026年11月24日前回复{}",
    "补充：{}\n明天再看",
)


def wide(text: str) -> str:
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


def grouped(text: str, gap: str) -> str:
    if len(text) == 11:
        return gap.join((text[:3], text[3:7], text[7:]))
    return (
        gap.join(text[at : at + 4] for at in range(0, len(text) - len(text) % 4, 4)) + text[len(text) - len(text) % 4 :]
    )


def noisy(kind: str, value: str) -> str:
    choices = [value, value, value.lower() if kind != "email" else value, wide(value)]
    if kind in ("id", "bank", "phone"):
        choices += [grouped(value, " "), grouped(value, "-"), grouped(value, "　")]
    if kind == "phone":
        choices += [
            "+86" + value,
            "+86 " + value,
            "0086-" + value,
            " ".join(value),
            "电话" + value[:5] + "-" + value[5:],
        ]
    if kind == "landline":
        cut = 3 if value.startswith(("010", "02")) else 4
        choices += [f"{value[:cut]}-{value[cut:]}", f"({value[:cut]}){value[cut:]}", f"（{value[:cut]}）{value[cut:]}"]
    if kind == "plate":
        choices = [value, value[:2] + "·" + value[2:], value[:2] + " " + value[2:], value.lower()]
    return dice.choice(choices)


CUED = {"passport": "护照号"}


@pytest.mark.parametrize("kind", MAKERS)
def test_numbers_put_into_sentences_are_found(kind: str) -> None:
    missed = []
    for _ in range(1500):
        value = MAKERS[kind]()
        text = dice.choice(FRAMES).format(CUED.get(kind, "") + noisy(kind, value))
        if (kind, value) not in [(mark.kind, mark.value) for mark in find_personal(text)]:
            missed.append(text)
    assert len(missed) <= 15, missed[:20]


@pytest.mark.parametrize("kind", sorted(set(MAKERS) - {"plate"}))
def test_a_masked_text_gives_nothing_away_and_keeps_the_rest(kind: str) -> None:
    for _ in range(200):
        value, frame = MAKERS[kind](), dice.choice(FRAMES)
        text = frame.format(CUED.get(kind, "") + value)
        marks = find_personal(text)
        hidden = mask(text, marks, IN_TAX)
        assert value not in hidden
        assert hidden.startswith(frame.split("{}")[0])
        assert hidden.endswith(frame.split("{}")[1])
        assert mask(hidden, find_personal(hidden), IN_TAX) == hidden


MASKED = (
    ("电话13812345678", "电话138****5678"),
    ("138-1234-5678找我", "138****5678找我"),
    ("身份证110101199003078515", "身份证1101**********8515"),
    ("身份证号：110101199003078510", "身份证号：1101**********8510"),
    ("卡号6222021234567890123", "卡号6222***********0123"),
    ("护照E12345678", "护照E*****678"),
    ("打0713-8812345", "打0713*****45"),
    ("人事科（0713-8812345）", "人事科（0713*****45）"),
    ("打（0713）8812345", "打0713*****45"),
    ("发到zhang@163.com", "发到z****@163.com"),
    ("姓名：张三丰，住三楼", "姓名：张**，住三楼"),
    ("13812345678/13987654321", "138****5678/139****4321"),
    ("13812345678 13987654321", "138****5678 139****4321"),
    ("tel:13812345678", "tel:138****5678"),
)


@pytest.mark.parametrize(("text", "hidden"), MASKED)
def test_masks_are_recognisable_to_their_owner(text: str, hidden: str) -> None:
    assert mask(text, find_personal(text)) == hidden


def test_what_the_check_digit_does_not_prove_needs_a_cue_beside_it() -> None:
    wrong = "110101199003078510"
    assert not find_personal(f"本次受理 {wrong} 一件")
    assert find_personal(f"身份证：{wrong}")[0].kind == "id"
    assert not find_personal(f"身份证要带上，窗口在三楼左手边，{wrong}")


def test_plates_codes_and_addresses_stay_in_reports_and_go_in_tax() -> None:
    text = "鄂J12345 堵门，家住东风小区3栋501，税号91420100MA4KXYBC12"
    assert {mark.kind for mark in find_personal(text)} == {"plate", "address", "uscc"}
    assert mask(text, find_personal(text)) == text
    hidden = mask(text, find_personal(text), IN_TAX)
    assert hidden == "鄂J***45 堵门，家住东风小******，税号9142**********BC12"
    assert "鄂J12345" not in mask(text, find_personal(text), IN_REPORTS | {"plate"})


@pytest.mark.parametrize(
    "text",
    [
        "国办函〔2026〕12号",
        "#1122-017",
        "#1122-1017",
        "工单号13812345678",
        "订单号：6222021234567890123",
        "受理编号 13812345678",
        "快递单号13812345678",
        "13812345678元",
        "0.13812345678",
        "发票号码13812345678",
        "4211-13812345678-02",
    ],
)
def test_numbers_of_documents_orders_and_amounts_are_left_alone(text: str) -> None:
    assert mask(text, find_personal(text)) == text


def test_random_order_numbers_are_seldom_taken_for_cards() -> None:
    texts = [f"单子 {dice.choice('123456789')}{digits(17)} 已派" for _ in range(5000)]
    assert (
        sum(mask(text, find_personal(text)) != text for text in texts) <= 15
    )  # security.md C.2 measured 3 % without the prefix rules


def test_marks_never_overlap_and_every_kind_has_a_mask() -> None:
    marks = find_personal("13812345678 110101199003078515 鄂J12345 a@b.cn 0713-8812345 6222021234567890123")
    assert all(a.end <= b.start for a, b in pairwise(marks))
    assert {rule.kind for rule in RULES} == set(KEEP)


def test_a_number_across_the_limit_is_cut_with_its_mask() -> None:
    text = "水" * (LIMIT - 5) + "13812345678"
    assert "13812" not in mask(text, find_personal(text))


# --- time --------------------------------------------------------------------------------------------------------

HOSTILE = (
    "1" * 200_000,
    "1 3 " * 50_000,
    "138-" * 50_000,
    "1-" * 100_000,
    "622 " * 50_000,
    "a" * 200_000 + "@",
    "a.@" * 60_000,
    "@a." * 60_000,
    "A1" * 100_000,
    "京A" * 100_000,
    "姓名：张" * 50_000,
    "家住" * 100_000,
    "家住" + "啊" * 200_000,
    "机密" * 100_000,
    "机密级" * 60_000,
    "秘密级的" * 50_000,
    "内部资料" * 50_000,
    "不得微信" * 50_000,
    "严禁在微信" * 40_000,
    "保密期限" * 50_000,
    "机 " * 100_000,
    "密\u200b" * 100_000,
    "@" * 200_000,
    "身份证1" * 40_000,
    "电话1 3" * 40_000,
    "0713-" * 40_000,
    "﷽" * 20_000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_no_text_takes_long(text: str) -> None:
    best = min(_seconds(text) for _ in range(3))
    assert best < 0.06, f"{best * 1000:.1f} ms"


def _seconds(text: str) -> float:
    began = time.perf_counter()
    find_secret(text)
    mask(text, find_personal(text))
    return time.perf_counter() - began


# --- names and quotes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张三"),
        ("局长\u202e", "局长"),
        ("局\u200b长\u2066\u2069", "局长"),
        ("ＡＢＣ　李", "ABC 李"),
        ("\u202e\u200b", "无名"),
        ("", "无名"),
        ("a\u0301\u0301\u0301\u0301\u0301\u0301b", "á\u0301\u0301b"),
        ("王\n五\t\x00", "王五"),
        ("长" * 99, "长" * 32),
    ],
)
def test_names_cannot_dress_up(name: str, shown: str) -> None:
    assert clean_name(name) == shown
    assert clean_name(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "@all",
        "@ALL",
        "＠所有人",
        "@所有人 开会",
        "<@all>",
        "@\u200ball",
        "@<@all>all",
        "@@allall",
        "@ 全体成员",
        "[CQ:at,qq=all]",
        "<@zhang>",
        "[点我](http://evil)",
        "<font color=red>x</font>",
        "[cq:image,file=x]",
    ],
)
def test_quoted_text_calls_nobody_and_is_no_markup(text: str) -> None:
    safe = inert(text)
    for trick in ("@all", "@ALL", "@所有人", "＠所有人", "@ 全体", "<@", "[CQ:", "[cq:", "](", "<font"):
        assert trick not in safe
    assert inert(safe) == safe


def test_ordinary_text_and_addresses_pass_unchanged() -> None:
    for text in ("a@b.cn", "1 < 2", "路灯坏了[图片]", "@张三 请看", "5>3"):
        assert inert(text) == text


def test_marks_are_values() -> None:
    assert find_personal("13812345678") == (Mark("phone", 0, 11, "13812345678"),)
