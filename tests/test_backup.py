"""A backup is one moment of a running office, whole, checked, and good for a restore; a damaged one is recognised."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from bot import backup
from bot.media import PhotoShop
from config.errors import ConfigError
from store import Store, Tx, history, inbox, photos, writer
from store.store import DATABASE


def add(n: int, text: str = "x") -> writer.Job[object]:
    return lambda tx: inbox.add(tx, "t", f"m{n}", "message", "g", "s", text, None)


def photograph(data: Path, n: int) -> str:
    """A file as the shop keeps it, and its hash."""
    content = f"photo {n}".encode() * 300
    sha = hashlib.sha256(content).hexdigest()
    path = data / "photos" / sha[:2] / f"{sha}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return sha


def office(data: Path, rows: int = 20) -> list[str]:
    """A directory with rows, history and photos, closed."""
    store = Store.open(data)
    (data / "key").write_bytes(b"k" * 32)
    shas = [photograph(data, n) for n in range(3)]

    def job(tx: Tx) -> None:
        for n in range(rows):
            add(n)(tx)
            history.append(tx, f"T{n % 4}", "dispatch", "", "dispatched")
        for sha in shas:
            photos.add(tx, sha, 10, 10, 10, "0" * 64)
            photos.keep(tx, sha)

    asyncio.run(store.write(job))
    asyncio.run(store.write(history.anchor))
    store.close()
    return shas


def events(data: Path) -> list[str]:
    store = Store.open(data)
    found = store.peek(lambda c: [row[0] for row in c.execute("select event_id from inbox order by seq")])
    store.close()
    return found


@pytest.mark.asyncio
async def test_a_backup_under_load_is_one_moment(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    written, stop = 0, False

    async def load() -> None:
        nonlocal written
        while not stop:
            await store.submit([add(written + n, "y" * 2000) for n in range(20)])
            written += 20

    loads = asyncio.create_task(load())
    await store.read(lambda c: None)
    taken = []
    for _ in range(4):
        before = written
        folder = await asyncio.to_thread(backup.take, tmp_path, 10)
        taken.append((before, folder))
        reached = written
        while written == reached:
            await store.read(lambda c: None)
    stop = True
    await loads
    store.close()
    for before, folder in taken:
        manifest = backup.read_manifest(folder)
        assert manifest is not None
        with sqlite3.connect(folder / DATABASE) as copy:
            count, newest = copy.execute("select count(*), coalesce(max(seq), 0) from inbox").fetchone()
        copy.close()
        assert count == newest == manifest.commits * 20 >= before, "every commit up to one moment and none after"


def test_the_row_fingerprint_is_the_sources(tmp_path: Path) -> None:
    office(tmp_path / "d")
    folder = backup.take(tmp_path / "d", 5)
    assert backup.fingerprint(folder / DATABASE, immutable=True) == backup.fingerprint(tmp_path / "d" / DATABASE)


def test_a_restore_brings_back_rows_key_and_photos_and_sets_the_old_aside(tmp_path: Path) -> None:
    data = tmp_path / "d"
    shas = office(data)
    folder = backup.take(data, 5)
    store = Store.open(data)
    asyncio.run(store.write(add(99)))
    store.close()
    shutil.rmtree(data / "photos")
    found, aside = backup.restore(folder, data)
    assert not found.missing_photos and not found.damaged_photos
    assert events(data) == [f"m{n}" for n in range(20)]
    assert all((data / "photos" / sha[:2] / f"{sha}.jpg").exists() for sha in shas)
    assert (data / "key").read_bytes() == b"k" * 32
    assert "m99" in events(aside)


def test_a_restore_into_an_empty_place_starts(tmp_path: Path) -> None:
    office(tmp_path / "d")
    folder = backup.take(tmp_path / "d", 5, tmp_path / "elsewhere")
    backup.restore(folder, tmp_path / "new")
    assert len(events(tmp_path / "new")) == 20


def test_a_restore_is_refused_while_the_office_runs(tmp_path: Path) -> None:
    office(tmp_path)
    folder = backup.take(tmp_path, 5)
    store = Store.open(tmp_path)
    with pytest.raises(ConfigError, match="正被另一个群办进程使用"):
        backup.restore(folder, tmp_path)
    store.close()


def test_the_drill_verifies_the_chains(tmp_path: Path) -> None:
    office(tmp_path)
    found, wrong = asyncio.run(backup.drill(backup.take(tmp_path, 5)))
    assert not wrong and found.rows["history"] == 20
    with sqlite3.connect(tmp_path / DATABASE) as forger:
        forger.execute("drop trigger history_no_update")
        forger.execute("update history set actor = 'somebody' where seq = 3")
    forger.close()
    _, wrong = asyncio.run(backup.drill(backup.take(tmp_path, 5)))
    assert any("被改动" in line for line in wrong)


@pytest.mark.parametrize("name", [DATABASE, "key", backup.MANIFEST])
@pytest.mark.parametrize("place", [0.1, 0.5, 0.95])
def test_one_flipped_bit_in_a_backup_is_noticed(tmp_path: Path, name: str, place: float) -> None:
    office(tmp_path / "d")
    folder = backup.take(tmp_path / "d", 5)
    content = bytearray((folder / name).read_bytes())
    content[int(len(content) * place)] ^= 0x80
    (folder / name).write_bytes(content)
    with pytest.raises(ConfigError, match=r"损坏|不是完整的备份"):
        backup.restore(folder, tmp_path / "new")
    assert not (tmp_path / "new" / DATABASE).exists()


def test_a_half_made_backup_is_none(tmp_path: Path) -> None:
    office(tmp_path)
    whole = backup.take(tmp_path, 5)
    shutil.copytree(whole, whole.parent / ".partial-abc")
    unsigned = shutil.copytree(whole, whole.parent / "99990101-000000")
    (Path(unsigned) / backup.MANIFEST).unlink()
    assert backup.listing(tmp_path / "backups") == [whole]
    assert backup.find(tmp_path) == whole


def test_only_the_newest_are_kept_even_within_one_second(tmp_path: Path) -> None:
    office(tmp_path)
    store = Store.open(tmp_path)
    for n in range(5):
        asyncio.run(store.write(add(100 + n)))
        backup.take(tmp_path, 3)
    store.close()
    kept = [backup.read_manifest(folder) for folder in backup.listing(tmp_path / "backups")]
    assert [m.commits for m in kept if m] == [5, 6, 7]


def test_a_damaged_or_missing_photo_is_counted_and_an_erased_one_stays_erased(tmp_path: Path) -> None:
    data = tmp_path / "d"
    lost, spoilt, erased = office(data)
    folder = backup.take(data, 5, tmp_path / "b")
    shop = PhotoShop(data / "photos")
    (folder / "photos" / lost[:2] / f"{lost}.jpg").unlink()
    (folder / "photos" / spoilt[:2] / f"{spoilt}.jpg").write_bytes(b"other")
    shop.erase(erased)
    found = backup.verify(folder)
    assert (found.missing_photos, found.damaged_photos) == (1, 1)
    backup.restore(folder, tmp_path / "new")
    assert not (tmp_path / "new" / "photos" / erased[:2] / f"{erased}.jpg").exists()


def test_a_backup_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office(tmp_path)

    def full(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_sync", full)
    with pytest.raises(OSError, match="No space"):
        backup.take(tmp_path, 5)
    assert not list((tmp_path / "backups").iterdir())


def test_fifty_megabytes_are_backed_up_and_drilled_in_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(tmp_path)
    for batch in range(16):
        asyncio.run(store.submit([add(batch * 500 + n, "文" * 2000) for n in range(500)]))
    store.close()
    started = time.monotonic()
    folder = backup.take(tmp_path, 5)
    taken = time.monotonic() - started
    found, wrong = asyncio.run(backup.drill(folder))
    with capsys.disabled():
        print(f"\n{found.bytes / 1e6:.0f} MB: backup {taken:.2f} s, drill (RTO) {found.seconds:.2f} s")
    assert found.bytes > 45e6 and not wrong
    assert taken < 15 and found.seconds < 30
    assert json.loads((folder / backup.MANIFEST).read_text())["commits"] == 16
