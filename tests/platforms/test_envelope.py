"""Tencent's envelope: what it wrote itself opens, everything else gets the same None before anything is parsed."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.platforms import envelope
from bot.platforms.envelope import Envelope, Sealed, fields, sign
from config.errors import ConfigError

# captured traffic: Tencent's callback_python3/Sample.py at db49731, wechatpy's tests/test_crypto.py (platforms.md 9)
TENCENT = ("hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo", "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt", "ww1436e0e65a779aee")
TENCENT_ECHO = {
    "msg_signature": "012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb",
    "timestamp": "1476416373",
    "nonce": "47744683",
    "echostr": "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA==",
}
TENCENT_POST = {
    "msg_signature": "0c3914025cb4b4d68103f6bfc8db550f79dcf48e",
    "timestamp": "1476422779",
    "nonce": "1597212914",
}
TENCENT_BODY = (
    b"<xml><ToUserName><![CDATA[ww1436e0e65a779aee]]></ToUserName>\n<Encrypt><![CDATA[Kl7kjoSf6DMD1zh7rtrHjFaDapSCkaOnwu"
    b"3bqLc5tAybhhMl9pFeK8NslNPVdMwmBQTNoW4mY7AIjeLvEl3NyeTkAgGzBhzTtRLNshw2AEew+kkYcD+Fq72Kt00fT0WnN87hGrW8SqGc+NcT3mu"
    b"87Ha3dz1pSDi6GaUA6A0sqfde0VJPQbZ9U+3JWcoD4Z5jaU0y9GSh010wsHF8KZD24YhmZH4ch4Ka7ilEbjbfvhKkNL65HHL0J6EYJIZUC2pFrdkJ7"
    b"MhmEbU2qARR4iQHE7wy24qy0cRX3Mfp6iELcDNfSsPGjUQVDGxQDCWjayJOpcwocugux082f49HKYg84EpHSGXAyh+/oxwaWbvL6aSDPOYuPDGOCI8"
    b"jmnKiypE+]]></Encrypt>\n<AgentID><![CDATA[1000002]]></AgentID>\n</xml>"
)
WECHATPY = ("123456", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", "wx49f0ab532d5d035a")
WECHATPY_ECHO = {
    "msg_signature": "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
    "timestamp": "1411443780",
    "nonce": "437374425",
    "echostr": "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==",
}
WECHATPY_POST = {
    "msg_signature": "74d92dfeb87ba7c714f89d98870ae5eb62dff26d",
    "timestamp": "1411525903",
    "nonce": "461056294",
}
WECHATPY_BODY = (
    b"<xml><ToUserName><![CDATA[wx49f0ab532d5d035a]]></ToUserName>\n<Encrypt><![CDATA[RgqEoJj5A4EMYlLvWO1F86ioRjZfaex/ge"
    b"PD0gOXTxpsq5Yj4GNglrBb8I2BAJVODGajiFnXBu7mCPatfjsu6IHCrsTyeDXzF6Bv283dGymzxh6ydJRvZsryDyZbLTE7rhnus50qGPMfp2wASFl"
    b"zEgMW9z1ef/RD8XzaFYgm7iTdaXpXaG4+BiYyolBug/gYNx410cvkKR2/nPwBiT+P4hIiOAQqGp/TywZBtDh1yCF2KOd0gpiMZ5jSw3e29mTvmUHzk"
    b"VQiMS6td7vXUaWOMZnYZlF3So2SjHnwh4jYFxdgpkHHqIrH/54SNdshoQgWYEvccTKe7FS709/5t6NMxuGhcUGAPOQipvWTT4dShyqio7mlsl5noTr"
    b"b++x6En749zCpQVhDpbV6GDnTbcX2e8K9QaNWHp91eBdCRxthuL0=]]></Encrypt>\n<AgentID><![CDATA[1]]></AgentID>\n</xml>"
)


def _opened(found: Mapping[str, object] | None) -> Mapping[str, object]:
    assert found is not None
    return found


def _query(sealed: Sealed) -> dict[str, str]:
    return {"msg_signature": sealed.signature, "timestamp": sealed.stamp, "nonce": sealed.nonce}


def test_captured_echoes_of_wecom_open() -> None:
    assert Envelope(*TENCENT, lambda: 1476416373).echo(TENCENT_ECHO) == "1288432023552776189"
    assert Envelope(*WECHATPY, lambda: 1411443780).echo(WECHATPY_ECHO) is not None


def test_captured_messages_of_wecom_open() -> None:
    found = _opened(Envelope(*TENCENT, lambda: 1476422779).open_xml(TENCENT_POST, TENCENT_BODY))
    assert (found["FromUserName"], found["Content"]) == ("ChenJiaShun", "你好")
    found = _opened(Envelope(*WECHATPY, lambda: 1411525903).open_xml(WECHATPY_POST, WECHATPY_BODY))
    assert (found["FromUserName"], found["Content"]) == ("messense", "test")


def test_wechatpy_opens_what_we_seal_and_we_what_it_seals() -> None:
    from wechatpy.enterprise.crypto import WeChatCrypto

    ours, theirs = Envelope(*WECHATPY), WeChatCrypto(*WECHATPY)
    sealed = ours.seal("<xml><Content>路灯不亮</Content></xml>")
    said = theirs.decrypt_message(sealed.to_xml(), sealed.signature, sealed.stamp, sealed.nonce)
    assert fields(said) == {"Content": "路灯不亮"}
    body = theirs.encrypt_message("<xml><Content>收到</Content></xml>", "n1", str(int(time.time())))
    outer = _opened(fields(body))
    query = {"msg_signature": str(outer["MsgSignature"]), "timestamp": str(outer["TimeStamp"]), "nonce": "n1"}
    assert ours.open_xml(query, body.encode()) == {"Content": "收到"}


def test_json_with_an_empty_receiver_makes_the_round() -> None:
    bot = Envelope("t" * 16, WECHATPY[1], "")
    sealed = bot.seal(json.dumps({"msgtype": "text"}))
    outer = json.loads(sealed.to_json())
    assert set(outer) == {"encrypt", "msgsignature", "timestamp", "nonce"}
    assert bot.open_json(_query(sealed), sealed.to_json().encode()) == {"msgtype": "text"}
    escaped = sealed.to_json().replace("/", "\\/").encode()
    assert bot.open_json(_query(sealed), escaped) == {"msgtype": "text"}


def _hostile() -> dict[str, tuple[Mapping[str, str], bytes]]:
    """One good request and everything that must not pass, by name."""
    ours = Envelope(*WECHATPY)
    sealed = ours.seal("<xml><Content>甲</Content></xml>")
    good, body = _query(sealed), sealed.to_xml().encode()
    last = "0" if sealed.signature[-1] != "0" else "1"
    stranger = Envelope(WECHATPY[0], WECHATPY[1], "wwSOMEONEELSE").seal("<xml/>")
    other_key = Envelope(WECHATPY[0], "A" * 43, WECHATPY[2]).seal("<xml><Content>甲</Content></xml>")
    old = Envelope(*WECHATPY, lambda: time.time() - 301).seal("<xml><Content>甲</Content></xml>")
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><xml><Content>&b;</Content></xml>'
    deep = "<xml>" + "<a>" * 70 * 20 + "</a>" * 70 * 20 + "</xml>"
    return {
        "last digit": ({**good, "msg_signature": sealed.signature[:-1] + last}, body),
        "upper case": ({**good, "msg_signature": sealed.signature.upper() + "A"}, body),
        "no signature": ({}, body),
        "other time": ({**good, "timestamp": str(int(sealed.stamp) + 1)}, body),
        "nonce and time swapped": ({**good, "timestamp": sealed.nonce, "nonce": sealed.stamp}, body),
        "other nonce": ({**good, "nonce": "x"}, body),
        "old": (_query(old), old.to_xml().encode()),
        "truncated": (good, body[:60]),
        "truncated inside": (good, body.replace(sealed.encrypt.encode(), sealed.encrypt[:-8].encode())),
        "empty": (good, b""),
        "twice": (good, body.replace(b"<xml>", b"<xml><Encrypt>QQ==</Encrypt>", 1)),
        "wrong receiver": (_query(stranger), stranger.to_xml().encode()),
        "wrong key": (_query(other_key), other_key.to_xml().encode()),
        "outer doctype": (good, b"<!DOCTYPE x>" + body),
        "noise, well signed": _signed(base64.b64encode(bytes(range(64))).decode()),
        "not base64": _signed("A"),
        "one block": _signed(base64.b64encode(bytes(16)).decode()),
        **{name: _sealed(ours, text) for name, text in (("entity bomb", bomb), ("deep", deep), ("not xml", "<xml>"))},
        "surrogates": ({**good, "nonce": "\udc80", "msg_signature": "\udcff"}, body),
    }


def _signed(encrypt: str) -> tuple[Mapping[str, str], bytes]:
    stamp = str(int(time.time()))
    sealed = Sealed(encrypt, sign(WECHATPY[0], stamp, "n", encrypt), stamp, "n")
    return _query(sealed), sealed.to_xml().encode()


def _sealed(ours: Envelope, text: str) -> tuple[Mapping[str, str], bytes]:
    sealed = ours.seal(text)
    return _query(sealed), sealed.to_xml().encode()


@pytest.mark.parametrize("name", _hostile())
def test_what_is_not_the_platforms_is_refused_alike(name: str) -> None:
    query, body = _hostile()[name]
    assert Envelope(*WECHATPY).open_xml(query, body) is None


def test_nothing_is_parsed_before_the_signature_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(text: str) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(envelope, "fields", never)
    monkeypatch.setattr(envelope, "_object", never)
    ours = Envelope(*WECHATPY)
    sealed = replace(ours.seal("<xml/>"), signature="0" * 40)
    assert ours.open_xml(_query(sealed), sealed.to_xml().encode()) is None
    assert ours.open_json(_query(sealed), sealed.to_json().encode()) is None


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "A" * 42 + "-"])
def test_a_key_that_is_none_is_named_in_the_settings(key: str) -> None:
    with pytest.raises(ConfigError, match="43"):
        Envelope("t", key, "")


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_makes_the_round(text: str) -> None:
    ours = Envelope(*WECHATPY)
    sealed = ours.seal(text)
    assert ours.echo(_query(sealed) | {"echostr": sealed.encrypt}) == text


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_refused_or_changes_nothing(place: int, bit: int) -> None:
    ours = Envelope(*WECHATPY)
    sealed = ours.seal("<xml><Content>甲</Content></xml>")
    body = bytearray(sealed.to_xml().encode())
    body[place % len(body)] ^= 1 << bit
    assert ours.open_xml(_query(sealed), bytes(body)) in (None, {"Content": "甲"})


def test_many_angle_brackets_in_what_a_person_wrote_are_no_attack() -> None:
    said = "<" * 2000
    assert fields(f"<xml><Content><![CDATA[{said}]]></Content></xml>") == {"Content": said}
