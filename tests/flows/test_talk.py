"""Talk about tasks in the whole pipeline: whoever says it, with the number or without, it changes nothing."""

from __future__ import annotations

import pytest

from bot.rehearse import Line
from tests.flows.chat import perform
from tests.flows.phrasings import NO_COMMAND

pytestmark = pytest.mark.asyncio

STANDING = """
    09:00 李敏: 三角绿地小广告
        群: 【已受理】#1123-001 …
    09:01 张强: 签收
        群: 【已签收】#1123-001 …
"""
ANSWERED = (
    STANDING
    + """
    09:02 张强: 反馈 已清理
        群: 【已反馈】#1123-001 …
"""
)
LINES = tuple(line.strip() for line in NO_COMMAND.strip().splitlines())


@pytest.mark.parametrize("before", [STANDING, ANSWERED], ids=["signed", "answered"])
@pytest.mark.parametrize("who", ["limin", "zhangqiang", "zhaojing", "qianfang"])
async def test_talk_by_anybody_changes_no_task(before: str, who: str) -> None:
    rehearsal = await perform(before)
    try:
        stands = rehearsal.steps[-1].tasks[0]
        for n, line in enumerate(LINES):
            said = f"1123-001 {line}" if n % 2 else f"{line} #1123-001"
            for form in (said, line):
                step = (await rehearsal.play([Line(300 + n, "ssp", who, form)]))[-1]
                wrong = (form, step.refused, [notice.text for notice in step.notices])
                assert step.refused in (None, "unclear"), wrong
                assert [t["state"] for t in step.tasks] == [stands["state"]], wrong
                assert step.tasks[0]["extension_pending"] == stands["extension_pending"], wrong
    finally:
        await rehearsal.close()
