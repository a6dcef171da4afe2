"""The edition of a day: made, passed by named people, sent once, corrected.

timing ── when (timers, edition_day) ─► rings ─► desk.begin · steps.remind · sending.send
desk ──── what editors change without telling anybody (the console calls it through engine.apply)
steps ─── who may take which step, how an edition stands, and how it is put before people
verb ──── the word 摘要: 送审 → 通过 → 签发, 退回, 不发, 重开; chat and console clicks alike
sending ─ once per group and day; corrections ─ once per group and correction
"""
