"""An office sets its numbers in one file; a wrong one is named by line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.errors import ConfigError
from config.settings import load_settings

CONFIG = Path(__file__).parent.parent / "config"


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "settings.toml").write_text(text, encoding="utf-8")
    return folder


def faults(*folders: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(*folders)
    return [str(fault) for fault in caught.value.faults]


def test_the_shipped_file_says_exactly_the_defaults() -> None:
    assert load_settings(CONFIG) == load_settings()
    text = (CONFIG / "settings.toml").read_text(encoding="utf-8")
    named = set(type(load_settings()).model_fields) - {"metrics_token"}  # a secret has no default
    assert all(f"\n{name} = " in text or f"[{name}." in text for name in named)


def test_the_environment_wins_over_the_data_folder_and_that_over_the_county(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    county = write(tmp_path / "county", 'county_name = "甲县"\naccept_minutes = 6\ndraft_minutes = 7\n')
    data = write(tmp_path / "data", "accept_minutes = 8\ndraft_minutes = 9\n")
    monkeypatch.setenv("QUNBAN_DRAFT_MINUTES", "11")
    found = load_settings(county, data)
    assert (found.county_name, found.accept_minutes, found.draft_minutes) == ("甲县", 8, 11)


def test_every_bad_value_is_named_with_its_line_and_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUNBAN_GATHER_SECONDS", "soon")
    text = (
        'county_name = ""\nacept_minutes = 3\nreminder_cap = 9\noffice_hours = "9-5"\nip_allow = "1.2"\n'
        'log_level = "loud"\nkeep_audit_days = 30\n[channels.w]\nkind = 3\n[channels.w.secrets]\ntoken = 5\n'
    )
    assert sorted(faults(write(tmp_path, text))) == sorted(
        [
            "settings.toml 第1行:county_name 不能为空",
            "settings.toml 第2行:acept_minutes 没有这个设置，是不是 accept_minutes？",
            "settings.toml 第3行:reminder_cap 不能大于 5",
            "settings.toml 第4行:office_hours 应写成 08:30-18:00，多段用逗号隔开",
            "settings.toml 第5行:ip_allow 应为网址段，如 10.1.0.0/16",
            "settings.toml 第6行:log_level 只能是 'DEBUG', 'INFO', 'WARNING', 'ERROR'",
            "settings.toml 第7行:keep_audit_days 不能小于 365",
            "settings.toml 第9行:channels.w.kind 应为文字（加引号）",
            "settings.toml 第11行:channels.w.secrets.token 应为文字（加引号）",
            "环境变量:QUNBAN_GATHER_SECONDS 应为整数",
        ]
    )


def test_a_file_that_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    assert faults(write(tmp_path, "a = 1\nb = = 2\n"))[0].startswith("settings.toml 第2行:写法不对")
    (tmp_path / "settings.toml").write_bytes(b"a = '\xff'")
    assert faults(tmp_path) == ["settings.toml:打不开，或不是 UTF-8 编码"]


def test_a_channel_may_take_its_secret_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, '[channels.wecom]\nkind = "wecom_app"\nsecrets = { token = "from-file" }\n')
    monkeypatch.setenv("QUNBAN_CHANNELS__WECOM__SECRETS__AES_KEY", "from-env")
    wecom = load_settings(tmp_path).channels["wecom"]
    assert {name: secret.get_secret_value() for name, secret in wecom.secrets.items()} == {
        "token": "from-file",
        "aes_key": "from-env",
    }


def test_no_secret_is_shown_in_text_or_fault(tmp_path: Path) -> None:
    write(
        tmp_path, 'metrics_token = "hush-1-and-a-few-more"\n[channels.w]\nkind = "x"\nsecrets = { token = "hush-2" }\n'
    )
    assert "hush" not in repr(load_settings(tmp_path))
    write(tmp_path, 'metrics_token = ["hush-3"]\n[channels.w]\nsecrets = "hush-4"\n')
    assert "hush" not in "\n".join(faults(tmp_path))


def test_office_hours_may_have_a_lunch_break_and_must_be_in_order(tmp_path: Path) -> None:
    write(tmp_path, 'office_hours = "08:30-12:00，14:00-18:00"\n')
    assert load_settings(tmp_path).office_hours == ((510, 720), (840, 1080))
    for bad in ("18:00-08:30", "08:00-12:00,11:00-18:00", "08:00-25:00", ""):
        assert len(faults(write(tmp_path, f'office_hours = "{bad}"\n'))) == 1


def test_settings_do_not_change_after_start() -> None:
    with pytest.raises(ValidationError):
        load_settings().gather_seconds = 1  # type: ignore[misc]


def test_an_edition_that_could_never_go_out_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "data", 'digest_time = "14:07"\n')
    (fault,) = faults(data)
    assert "digest_until" in fault and "digest_time" in fault
    assert load_settings(write(tmp_path / "data", 'digest_time = "14:07"\ndigest_until = "17:00"\n')).digest_time == 847
