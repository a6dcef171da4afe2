"""What an operator types, and what comes back: Chinese, one sentence, the right exit code, JSON alone on standard output."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.check import examine
from bot.cli import COMMANDS, main
from bot.commands.serve import refuse_old_aiohttp
from bot.county_import import put_in
from config.errors import ConfigError
from config.files import read_county
from store import Store, Tx, history, inbox, people
from tests.serving import ROOT, bot, serving, tiny_county

ENGLISH = re.compile(r"Usage|Options|Commands|Show this|Error|Try |default|required", re.IGNORECASE)
KINDS = {
    "received",
    "dispatched",
    "ask_choice",
    "ask_place",
    "ask_which",
    "accepted",
    "arrived",
    "feedback",
    "verify_request",
    "closed",
    "rework",
    "returned",
    "ruling",
    "extended",
    "suspended",
    "reminder",
    "escalation",
    "merged",
    "withdrawn",
    "refused",
    "help",
    "privacy",
}
REFUSED = {"not_allowed", "wrong_state", "not_member", "own_unit", "too_late", "unclear", "duplicate"}  # design 8
PAGES = [[], *([name] for name in COMMANDS), ["county", "export"], ["county", "import"], ["audit", "verify"]]


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_county(tmp_path / "tiny")


@pytest.fixture
def data(tmp_path: Path, tiny: Path) -> Path:
    asyncio.run(put_in(tmp_path / "data", read_county(tiny)))
    return tmp_path / "data"


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_help_is_chinese(words: list[str]) -> None:
    page = run(*words, "--help")
    assert page.exit_code == 0
    assert "用法" in page.stdout and not ENGLISH.search(page.stdout), page.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("check", "--nonsense"),
        ("backup", "--keep", "many"),
        ("rehearse",),
        ("restore",),
        ("check", "--data"),
    ],
    ids=" ".join,
)
def test_a_command_written_wrong_is_two_and_says_why(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.exit_code == 2 and not done.stdout
    assert re.search(r"[一-鿿]", done.stderr) and "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "backup", "token", "audit verify", "restore --drill"])
def test_a_directory_without_data_is_one_and_stays_absent(command: str, tmp_path: Path) -> None:
    done = run(*command.split(), "--data", tmp_path / "nothing")
    assert done.exit_code == 1 and "Traceback" not in done.output
    assert not (tmp_path / "nothing").exists()


def test_asking_for_help_loads_no_part_of_the_bot() -> None:
    script = "import sys; from bot.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not loaded & {
        "aiohttp",
        "jieba",
        "numpy",
        "openpyxl",
        "sqlite_utils",
        "pydantic",
        "PIL",
        "bot.app",
        "bot.engine",
    }


# check


def levels(data: Path) -> dict[str, str]:
    return {finding.text: finding.level for finding in examine(data)}


def test_check_passes_a_sound_office_and_only_reads(data: Path) -> None:
    before = (data / "qunban.db").read_bytes()
    done = run("check", "--data", data)
    assert done.exit_code == 0, done.output
    assert "✗" not in done.stdout and "✓ 数据库完好" in done.stdout and "还没有备份" in done.stdout
    assert (data / "qunban.db").read_bytes() == before


def test_check_finds_what_is_missing_in_a_county(tmp_path: Path, tiny: Path) -> None:
    (tiny / "people.csv").write_text("id,name,unit,roles,accounts\nzhao,赵静,zx,admin,\n", "utf-8")
    (tiny / "groups.csv").write_text("id,name,purpose,members,accounts\nssp,随手拍,reports,,\n", "utf-8")
    (tiny / "categories.csv").write_text(
        "code,name,kind,spoken_group\n事件0101,暴露垃圾,事件,垃圾\n事件0102,积水,事件,积水\n", "utf-8"
    )
    asyncio.run(put_in(tmp_path / "d", read_county(tiny)))
    done = run("check", "--data", tmp_path / "d")
    assert done.exit_code == 1
    for line in (
        "△ 1 个私下联系不到（没有可私聊渠道的账号）:赵静",
        "✗ 1 个单位没有经办人、副职或负责人:城管执法局",
        "△ 1 个工作群没有绑定平台上的群:随手拍",
        "△ 1 个类别没有承办单位（会请指挥员选）:积水",
        "△ 2027 年节假日还不知道" if "2027" in done.stdout else "年节假日",
    ):
        assert line in done.stdout, done.stdout


def test_check_finds_stuck_messages_and_lost_commits(data: Path) -> None:
    store = Store.open(data)

    def job(tx: Tx) -> None:
        row = inbox.add(tx, "web", "m1", "message", "g", "s", "{}", None)
        assert row is not None
        inbox.settle(tx, row.seq, "parked", "a bug")

    asyncio.run(store.write(job))
    store.close()
    assert levels(data)["1 条消息处理失败，等人处理（管理页面）"] == "wrong"
    (data / "witness").unlink()
    from store.witness import Witness

    witness = Witness(data / "witness")
    witness.write(99)
    witness.close()
    assert any("比已确认的少" in text and level == "wrong" for text, level in levels(data).items())


def test_check_says_it_in_json_too(data: Path) -> None:
    answer = json.loads(run("check", "--data", data, "--json").stdout)
    assert answer["ok"] is True and {"level", "text"} == set(answer["findings"][0])


@pytest.mark.parametrize(("version", "fine"), [("3.14.2", False), ("3.9.5", False), ("3.14.3", True), ("4.0", True)])
def test_an_aiohttp_with_known_holes_is_refused(monkeypatch: pytest.MonkeyPatch, version: str, fine: bool) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    if fine:
        return refuse_old_aiohttp()
    with pytest.raises(ConfigError, match=re.escape(f"aiohttp {version} 有已知漏洞")):
        refuse_old_aiohttp()


# backup, audit, token


def test_backup_drill_and_restore_tell_their_figures(data: Path, tmp_path: Path) -> None:
    assert "已备份到" in run("backup", "--data", data).stdout
    drill = run("restore", "--drill", "--data", data)
    assert drill.exit_code == 0 and "RPO" in drill.stdout and "RTO" in drill.stdout and "演练通过" in drill.stdout
    answer = json.loads(run("restore", "--drill", "--data", data, "--json").stdout)
    assert answer["passed"] and answer["rto_seconds"] >= 0 and answer["rows"]["person"] == 3
    assert "0 天前演练过恢复" in run("check", "--data", data).stdout
    done = run("restore", data, "--data", tmp_path / "new")
    assert done.exit_code == 0 and "已恢复到" in done.stdout
    assert run("check", "--data", tmp_path / "new").exit_code == 0


def test_audit_verify_finds_a_forged_step(data: Path) -> None:
    store = Store.open(data)
    asyncio.run(store.write(lambda tx: history.append(tx, "t1", "dispatch", "", "dispatched")))
    store.close()
    assert run("audit", "verify", "--data", data).exit_code == 0
    assert json.loads(run("audit", "verify", "--data", data, "--json").stdout)["ok"] is True
    store = Store.open(data)

    def forge(tx: Tx) -> None:
        tx.execute("drop trigger history_no_update")
        tx.execute("update history set actor = 'x'")

    asyncio.run(store.write(forge))
    store.close()
    done = run("audit", "verify", "--data", data)
    assert done.exit_code == 1 and "被改动" in done.stdout
    done = run("audit", "verify", "--data", data, "--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["faults"]


def test_a_token_opens_once_and_is_stored_only_as_a_hash(data: Path) -> None:
    done = run("token", "--data", data)
    assert done.exit_code == 0, done.output
    code = done.stdout.strip().removeprefix("/first?token=")
    assert len(code) == 32  # 128 bits
    assert code.encode() not in (data / "qunban.db").read_bytes()
    store = Store.open(data)
    spent = [asyncio.run(store.write(lambda tx: people.spend_code(tx, code, "login"))) for _ in range(2)]
    store.close()
    assert spent == ["zhao", None]


def test_a_token_for_nobody_is_refused(data: Path) -> None:
    done = run("token", "--data", data, "--person", "nobody")
    assert done.exit_code == 1 and "没有编号为“nobody”的人" in done.stderr


# rehearse and evaluate


SCRIPT = """{"start": "2026-11-23T09:00:00+08:00"}
{"t": 0, "group": "ssp", "sender": "li", "text": "解放路垃圾桶满了没人收", "photos": ["a.jpg"]}
not json
{"t": 120, "group": "ssp", "sender": "zhang", "text": "签收", "quote": 0}
{"t": 200, "group": "ssp", "sender": "zhao", "text": "中午吃什么"}
{"t": 90000}
"""


def test_rehearse_prints_one_object_and_the_rest_elsewhere(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "s.jsonl").write_text(SCRIPT, "utf-8")
    done = bot("rehearse", str(tmp_path / "s.jsonl"), "--county", str(tiny), "--json")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    answer = json.loads(done.stdout)
    assert set(answer) == {"steps"}
    for step in answer["steps"]:
        assert set(step) == {"i", "kept", "refused", "notices", "tasks"}
        assert step["refused"] is None or step["refused"] in REFUSED
        assert {notice["kind"] for notice in step["notices"]} <= KINDS
        for task in step["tasks"]:
            assert set(task) == {
                "number",
                "state",
                "category",
                "unit",
                "units",
                "place",
                "urgent",
                "due_at",
                "reporters",
                "photos",
                "evidence",
                "merged_into",
                "extension_pending",
            }
    assert "s.jsonl 第3行" in done.stderr


def test_rehearse_reads_as_a_chat(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "s.jsonl").write_text(SCRIPT, "utf-8")
    done = run("rehearse", tmp_path / "s.jsonl", "--county", tiny)
    assert done.exit_code == 0, done.output
    assert "11-23 09:00:00 李敏（随手拍工作群）:解放路垃圾桶满了没人收[照片 a.jpg]" in done.stdout
    assert "群办 → " in done.stdout and "（不是对群办说的，没有保存）" in done.stdout


def test_evaluate_reports_is_one_object_with_predictions_beside_it(tmp_path: Path, tiny: Path) -> None:
    line = {"id": "1", "group": "ssp", "sender": "li", "text": "垃圾桶满了没人收", "photos": 1}
    line["expect"] = {"kind": "report", "category": "暴露垃圾", "unit": "cgj", "place": None, "urgent": False}
    (tmp_path / "f.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\nbroken\n", "utf-8")
    done = bot(
        "evaluate", "reports", str(tmp_path / "f.jsonl"), "--county", str(tiny), "--predictions", str(tmp_path / "p")
    )
    assert done.returncode == 0, done.stderr
    assert {"unit_accuracy", "category_accuracy", "auto_precision_lower95", "ms_per_message"} <= set(
        json.loads(done.stdout)
    )
    assert "第2行" in done.stderr
    assert [json.loads(row)["id"] for row in (tmp_path / "p").read_text("utf-8").splitlines()] == ["1"]


@pytest.mark.parametrize("words", [("rehearse", "x.jsonl"), ("evaluate", "reports", "x.jsonl")], ids=" ".join)
def test_a_missing_file_is_a_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*words[:-1], tmp_path / words[-1])
    assert done.exit_code == 1 and "没有这个" in done.stderr and not done.stdout


# serve


def test_serve_with_a_county_starts_no_demo_and_prints_a_token_once(tmp_path: Path, tiny: Path) -> None:
    data, log = tmp_path / "d", tmp_path / "log"
    with serving(data, "--county", str(tiny), log=log) as server:
        assert server.health() == 200
        assert server.stop() == 0
    first = log.read_text("utf-8")
    assert "first?token=" in first
    with serving(data, "--county", str(tiny), log=log) as server:
        assert server.health() == 200
    assert "没有使用 --county。要更新请用 bot county import" in log.read_text("utf-8")[len(first) :]


def test_serve_with_a_county_on_a_demo_directory_is_refused(tmp_path: Path, tiny: Path) -> None:
    from store import meta

    asyncio.run(put_in(tmp_path / "d", read_county(tiny)))
    store = Store.open(tmp_path / "d")
    asyncio.run(store.write(lambda tx: meta.put(tx, "demo", "1")))
    store.close()
    done = bot("serve", "--data", str(tmp_path / "d"), "--county", str(tiny), "--no-browser", "--port", "0")
    assert done.returncode == 1 and "bot county import" in done.stderr and "Traceback" not in done.stderr
