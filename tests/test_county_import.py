"""An import says what it would do, does all of it or nothing, and ends a demo for good."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.county_import import changes, current, losses, obstacles, put_in, standing
from config.county import County, Person, Phrase, Place, Unit
from config.files import read_county, write_county
from store import Store, Tx, county, meta, sessions
from tests.serving import tiny_county


def bot(*words: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(main, [*words], input=answer)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return tiny_county(tmp_path / "tiny")


def demo(data: Path, shipped: County) -> None:
    """A demo directory as a first start leaves it, with its clock run ahead and somebody inside."""
    store = Store.open(data)

    def job(tx: Tx) -> None:
        county.save(tx, shipped)
        meta.put(tx, "demo", "1")
        sessions.begin(tx, "a-cookie", shipped.people[0].id, int(time.time()), "127.0.0.1")

    asyncio.run(store.write(job))
    store.close()
    (data / "clock").write_text("864000")
    (data / "key").write_bytes(b"k" * 32)
    (data / "photos").mkdir()


def test_a_new_directory_takes_a_county(tmp_path: Path, tiny: Path) -> None:
    done = bot("county", "import", str(tiny), "--data", str(tmp_path / "d"), "--yes")
    assert done.exit_code == 0, done.output
    assert current(tmp_path / "d") == read_county(tiny)
    assert standing(tmp_path / "d") == "real"


def test_what_was_exported_imports_without_a_change(tmp_path: Path, tiny: Path) -> None:
    data = str(tmp_path / "d")
    bot("county", "import", str(tiny), "--data", data, "--yes")
    for target in ("out", "out.xlsx"):
        assert bot("county", "export", str(tmp_path / target), "--data", data).exit_code == 0
        done = bot("county", "import", str(tmp_path / target), "--data", data, "--yes")
        assert done.exit_code == 0 and "没有改动" in done.stdout, done.output


def test_one_fault_changes_nothing_and_names_file_row_and_column(tmp_path: Path, tiny: Path) -> None:
    data = tmp_path / "d"
    bot("county", "import", str(tiny), "--data", str(data), "--yes")
    before = current(data)
    (tiny / "people.csv").write_text("id,name,unit,roles,accounts\nx,某人,nowhere,handler,\n", "utf-8")
    done = bot("county", "import", str(tiny), "--data", str(data), "--yes")
    assert done.exit_code == 1
    assert "people.csv 第2行「unit」列" in done.stderr
    assert current(data) == before


def test_without_consent_nothing_changes(tmp_path: Path, tiny: Path) -> None:
    data = tmp_path / "d"
    done = bot("county", "import", str(tiny), "--data", str(data), answer="n\n")
    assert done.exit_code == 1 and "没有改动" in done.stderr
    assert standing(data) == "new"


def test_a_demo_ends_for_good(tmp_path: Path, tiny: Path) -> None:
    data = tmp_path / "d"
    demo(data, read_county(tiny))
    done = bot("county", "import", str(tiny), "--data", str(data), "--yes")
    assert done.exit_code == 0, done.output
    assert standing(data) == "real"
    assert not (data / "clock").exists() and not (data / "key").exists()
    store = Store.open(data)
    found = store.peek(lambda c: (meta.get(c, "demo", "-"), sessions.find(c, "a-cookie")))
    store.close()
    assert found == ("", None)
    aside = next(data.glob("replaced-*"))
    assert (aside / "qunban.db").exists() and (aside / "clock").exists() and (aside / "photos").exists()


def test_an_import_waits_for_the_server_to_stop(tmp_path: Path, tiny: Path) -> None:
    data = tmp_path / "d"
    bot("county", "import", str(tiny), "--data", str(data), "--yes")
    before = current(data)
    (tiny / "units.csv").write_text("id,name,aliases,town,duty\nzx,新名字,,,\ncgj,城管执法局,,,\n", "utf-8")
    store = Store.open(data)
    done = bot("county", "import", str(tiny), "--data", str(data), "--yes")
    store.close()
    assert done.exit_code == 1 and "正被另一个群办进程使用" in done.stderr
    assert current(data) == before


def test_the_summary_names_what_is_added_changed_and_removed() -> None:
    old = County(units=(Unit("a", "甲局"), Unit("b", "乙局")), places=(Place("p", "解放路"),))
    new = County(
        units=(Unit("a", "甲局", ("老甲",)), Unit("c", "丙局")), places=old.places, phrases=(Phrase("", "你好"),)
    )
    assert changes(old, new) == ["单位:新增 1（丙局）；修改 1（甲局）；删除 1（乙局）", "说法:新增 1"]


def test_bindings_the_files_do_not_know_are_named() -> None:
    old = County(people=(Person("a", "赵静", "zx", (), ("web:zhao", "wecom:z1")),))
    new = County(people=(Person("a", "赵静", "zx", (), ("web:zhao",)),))
    assert "赵静" in losses(old, new)[0] and not losses(new, old)


def test_a_unit_with_open_tasks_cannot_be_removed(tmp_path: Path, tiny: Path) -> None:
    data = tmp_path / "d"
    full = read_county(tiny)
    asyncio.run(put_in(data, full))
    store = Store.open(data)

    def job(tx: Tx) -> None:
        tx.execute(
            "insert into task (id, state, group_id, reporter, text, opened_at) values ('t1', 'accepted', 'ssp', 'li', 'x', ?)",
            (tx.at,),
        )
        tx.execute("insert into task_unit (task, unit, lead) values ('t1', 'cgj', 1)")

    asyncio.run(store.write(job))
    store.close()
    smaller = replace(full, units=full.units[:1], people=full.people[:1], duties=())
    assert obstacles(data, full) == []
    assert "还有 1 件没办结的工单" in obstacles(data, smaller)[0]


def test_twenty_thousand_rows_go_in_as_one_short_transaction(tmp_path: Path, tiny: Path) -> None:
    full = read_county(tiny)
    many = tuple(Person(f"p{n}", f"人{n}", "cgj", ("reporter",), (f"web:p{n}",)) for n in range(10_000))
    places = tuple(Place(f"l{n}", f"路{n}", (), "road", "") for n in range(10_000))
    large = replace(full, people=(*full.people, *many), places=places)
    write_county(large, tmp_path / "large")
    assert read_county(tmp_path / "large") == large
    asyncio.run(put_in(tmp_path / "d", full))
    started = time.monotonic()
    asyncio.run(put_in(tmp_path / "d", large))
    assert time.monotonic() - started < 5
    assert current(tmp_path / "d") == large


def test_a_countys_own_words_come_in_with_it_and_are_checked_first(tmp_path: Path, tiny: Path) -> None:
    data = tmp_path / "d"
    (tiny / "texts.toml").write_text('accepted = "#{number} {person} 接单啦"\n', encoding="utf-8")
    assert bot("county", "import", str(tiny), "--data", str(data), "--yes").exit_code == 0
    assert "接单啦" in (data / "texts.toml").read_text("utf-8")
    again = bot("county", "import", str(tiny), "--data", str(data), "--yes")
    assert "没有改动" in again.stdout
    (tiny / "texts.toml").write_text('accepted = "#{number} 收工"\n', encoding="utf-8")
    assert "文字" in bot("county", "import", str(tiny), "--data", str(data), "--yes").output
    assert "收工" in (data / "texts.toml").read_text("utf-8")
    (tiny / "texts.toml").write_text('accepted = "{nobody}"\n', encoding="utf-8")
    assert bot("county", "import", str(tiny), "--data", str(data), "--yes").exit_code != 0
    assert "收工" in (data / "texts.toml").read_text("utf-8")
