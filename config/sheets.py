"""The county's sheets as one table: which columns a file has, what they are called, and what may stand in them.

`config.files` interprets it for CSV and Excel, for reading and for writing. Order of columns = order of writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.county import (
    CATEGORY_KINDS,
    LIMIT_UNITS,
    PLACE_KINDS,
    PURPOSES,
    ROLES,
    CalendarDay,
    Category,
    Duty,
    Group,
    Person,
    Phrase,
    Place,
    Standard,
    Unit,
)

DAY_KINDS = {"holiday": "放假", "workday": "上班"}
DUTY_STATES = {"confirmed": "已确认", "proposed": "拟定"}
OTHER_WORDS = {  # what offices write instead of our own Chinese word
    "上报": "reports",
    "随手拍": "reports",
    "税务": "tax",
    "通知": "notices",
    "摘要": "notices",
    "道路街巷": "road",
    "路": "road",
    "街": "road",
    "街巷": "road",
    "巷": "road",
    "公路": "road",
    "乡镇": "town",
    "镇": "town",
    "乡": "town",
    "街道": "town",
    "村庄": "village",
    "行政村": "village",
    "自然村": "village",
    "小区": "area",
    "节假日": "holiday",
    "休": "holiday",
    "调休": "workday",
    "班": "workday",
    "紧急工作小时": "urgent_hour",
    "紧急工作时": "urgent_hour",
    "紧急时": "urgent_hour",
    "工作时": "work_hour",
    "天": "day",
    "natural_day": "day",
    "领导": "leader",
    "管理员": "admin",
    "负责人": "unit_leader",
    "副职领导": "deputy",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `form` is how a cell is read (`config.cells.READERS`; prose may have line breaks).

    `words` are the codes allowed with their Chinese, `other` the code of words that are not among them (none: refused);
    `refers` names the sheet whose key the cell must hold.
    """

    name: str
    titles: tuple[str, ...]
    form: str = "text"
    required: bool = False
    limit: int = 64
    words: Mapping[str, str] | None = None
    other: str = ""
    refers: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file. `unique` columns together may occur once; `shared`: taken from the product when the file is missing."""

    name: str
    titles: tuple[str, ...]
    row: type
    columns: tuple[Column, ...]
    unique: tuple[str, ...] = ()
    required: bool = False
    shared: bool = False


ID = Column("id", ("编号", "ID", "代码"), "id", required=True)
NAME = Column("name", ("名称",), required=True)
ALIASES = Column("aliases", ("别名", "简称"), "list")
TOWN = Column("town", ("乡镇", "所属乡镇", "乡镇街道"))
ACCOUNTS = Column("accounts", ("账号", "帐号", "平台账号"), "accounts", limit=200)
CODE = Column("code", ("代码", "类别代码", "类别"), "id", required=True, refers="categories")
SAME = {kind: kind for kind in CATEGORY_KINDS}

SHEETS = (
    Sheet(
        "units",
        ("单位", "承办单位"),
        Unit,
        (ID, NAME, ALIASES, TOWN, Column("duty", ("职责", "工作职责"), "prose", limit=4000)),
        unique=("id",),
        required=True,
    ),
    Sheet(
        "people",
        ("人员",),
        Person,
        (
            ID,
            Column("name", ("姓名", "名称"), required=True),
            Column("unit", ("单位", "所属单位"), "id", required=True, refers="units"),
            Column("roles", ("角色",), "words", words=ROLES),
            ACCOUNTS,
        ),
        unique=("id",),
        required=True,
    ),
    Sheet(
        "places",
        ("地点", "地名"),
        Place,
        (ID, NAME, ALIASES, Column("kind", ("类型", "种类"), "word", words=PLACE_KINDS, other="landmark"), TOWN),
        unique=("id",),
    ),
    Sheet(
        "groups",
        ("群", "工作群"),
        Group,
        (
            ID,
            NAME,
            Column("purpose", ("用途",), "word", required=True, words=PURPOSES),
            Column("members", ("成员",), "list", refers="people"),
            ACCOUNTS,
            Column("owner", ("群主", "负责人"), "id", refers="people"),
        ),
        unique=("id",),
        required=True,
    ),
    Sheet(
        "categories",
        ("类别",),
        Category,
        (
            Column("code", ("代码", "类别代码", "编号"), "id", required=True),
            NAME,
            Column("kind", ("类型", "种类"), "word", required=True, words=SAME),
            Column("spoken_group", ("俗称", "口语分组"), required=True),
        ),
        unique=("code",),
        shared=True,
    ),
    Sheet(
        "standards",
        ("时限", "标准", "立案标准"),
        Standard,
        (
            CODE,
            Column("condition", ("立案条件", "条件"), required=True, limit=300),
            Column("limit_n", ("时限", "时限数"), "count", required=True),
            Column("limit_unit", ("时限单位", "单位"), "word", required=True, words=LIMIT_UNITS),
        ),
        unique=("code", "condition"),
        shared=True,
    ),
    Sheet(
        "duties",
        ("职责", "责任"),
        Duty,
        (
            CODE,
            Column("place_or_town", ("地点或乡镇", "范围")),
            Column("unit", ("单位", "责任单位", "承办单位"), "id", required=True, refers="units"),
            Column("status", ("状态",), "word", words=DUTY_STATES, default="confirmed"),
        ),
    ),
    Sheet(
        "calendar",
        ("日历", "节假日"),
        CalendarDay,
        (
            Column("date", ("日期",), "date", required=True),
            Column("kind", ("类型", "安排"), "word", required=True, words=DAY_KINDS),
        ),
        unique=("date",),
        shared=True,
    ),
    Sheet(
        "phrases",
        ("说法", "例句"),
        Phrase,
        (
            Column("code", ("代码", "类别代码", "类别"), "id", refers="categories"),
            Column("text", ("说法", "例句", "文字"), required=True, limit=300),
        ),
        shared=True,
    ),
)
