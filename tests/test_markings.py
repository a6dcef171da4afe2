"""A document's own mark is found however it is worded; talk about secrecy, rights, rumours and places is not taken for one."""

from __future__ import annotations

import pytest

from digests.checks import secrecy
from digests.items import Item

TEXT = "为做好有关工作，各乡镇、各部门要高度重视，明确责任分工，按时间节点报送情况，确保各项任务落到实处。"
MARKS = """
机密|秘密|绝密★启用前|绝密·启用前|秘密 5年|机密 长期|密级：内部|密　级：机密|保密期限：3年|份号：000012|密件|商密★三年
内部参考 不得引用|内部参考，请勿外传|【内部】|内部掌握|内部通报|内部传阅|内部资料★1年|内部事项 ★6个月|会议材料，会后收回
仅供领导同志参阅，阅后退回|仅供领导参阅|阅后销毁|（会后收回）|此件不公开|（此件不予公开）|信息公开选项：不予公开|明传电报|内部明电
本通报发至各乡镇党委书记，不得翻印|请注意保密，不得上网。|不得在互联网上传播。|严禁拍照、转发、上网。|妥善保管，严禁外泄|知悉范围：县委常委班子
工作秘密 1年|涉密文件|本材料属于内部资料，请勿外传。|未经批准不得对外公布|正式公布前请严格保密。|人事安排在宣布前不得外传。
此信息仅供内部参考|征求意见稿，请注意保密|敏感信息，请勿转发到其他群|看完就删，别外传|各支部：情况如下，仅供支部书记掌握，不要转到党员群。|暂不对外公布|请按工作秘密管理|机 密
"""
TALK = """
版权所有，未经授权不得转载、复制。|请勿转发谣言、未经证实的信息。|考场内严禁拍照、录音。|举报人信息严格保密。举报电话12388。|（此件公开发布）
信息公开属性：主动公开|优惠券仅限本人使用|会后，与会人员参观了展览。|一、内部控制|关于加强保密工作的通知|请注意保护个人隐私|不得挪用、截留
仅供参考|答案仅供参考|请妥善保管缴费凭证|实名举报将严格为举报人保密|限本县户籍人员报名|仅限参会人员凭证入场|供机关干部学习参考
请遵守保密纪律|考生应保持安静，不得拍照、录音。|参观者请爱护展品，不得触摸、拍照。|本次培训内容包括保密知识|不得公开、泄露考生个人信息|讲解绝密、机密、秘密三个等级|讲清“内部资料”和“机密★”怎么认
某单位干部用手机拍摄机密级文件发到微信群，被追究责任。|内部审计|禁止携带手机、录音设备进入考场|会议传达学习后讨论
"""


def pieces(table: str) -> list[str]:
    return [piece for line in table.strip().split("\n") for piece in line.split("|")]


@pytest.mark.parametrize("mark", pieces(MARKS))
def test_a_mark_blocks_at_the_head_and_at_the_foot(mark: str) -> None:
    assert secrecy(Item("1", "有关情况的通报", f"{mark}\n{TEXT}"))
    assert secrecy(Item("1", "有关情况的通报", f"{TEXT}\n{mark}"))


@pytest.mark.parametrize("talk", pieces(TALK))
def test_talk_blocks_nothing(talk: str) -> None:
    for text in (f"{talk}\n{TEXT}", f"{TEXT}\n{talk}", f"{TEXT}{talk}{TEXT}"):
        assert secrecy(Item("1", "有关情况的通报", text)) == []
