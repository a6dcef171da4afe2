"""A tax bureau's industry group for dialogues, and a small knowledge base whose questions are asked word for word."""

from __future__ import annotations

from config.county import County, Group, Person, Unit
from config.faq.entries import Entry

UNITS = (Unit("swj", "税务局"), Unit("gsl", "工商联"))
PEOPLE = (
    Person("tianfang", "田芳", "swj", ("handler",)),
    Person("renjing", "任静", "swj", ("deputy",)),
    Person("jiangtao", "姜涛", "swj", ("unit_leader",)),
    Person("fangxin", "方欣", "gsl", ("reporter",)),
    Person("shimei", "石梅", "gsl", ("reporter",)),
    Person("yaojuan", "姚娟", "gsl", ("reporter",)),
)
GROUPS = (Group("tax", "税务群", "tax"), Group("shops", "商户群", "tax"))
BUREAU = County(UNITS, PEOPLE, groups=GROUPS)

CARD = """
    群: 【解答】{question}
        {answer}
        依据：{basis}
"""
ENTRIES = (
    Entry(
        "month",
        "小规模纳税人按月申报月销售额多少以内免征增值税",
        "按月申报的小规模纳税人，月销售额未超过10万元的，免征增值税。",
        "财政部 税务总局公告2026年第10号",
        similar=("小规模一个月开多少票不用交增值税",),
        valid_from="2026-01-01",
        valid_to="2027-12-31",
        taxpayer_type=("小规模纳税人",),
        tax=("增值税",),
    ),
    Entry(
        "quarter",
        "小规模纳税人按季申报季度销售额多少以内免征增值税",
        "按季申报的小规模纳税人，季度销售额未超过30万元的，免征增值税。",
        "财政部 税务总局公告2026年第10号",
        similar=("小规模一个季度开多少票不用交增值税",),
        valid_from="2026-01-01",
        valid_to="2027-12-31",
        taxpayer_type=("小规模纳税人",),
        tax=("增值税",),
    ),
    Entry(
        "close-company",
        "公司注销税务怎么办",
        "先结清税款、缴销发票，再在电子税务局提交清税申报。",
        "税总发〔2019〕64号",
        similar=("公司怎么注销税务登记",),
        taxpayer_type=("企业",),
    ),
    Entry(
        "close-shop",
        "个体工商户注销税务怎么办",
        "个体工商户可走简易注销，无欠税的即时办结。",
        "税总发〔2018〕149号",
        similar=("个体户怎么注销税务登记",),
        taxpayer_type=("个体工商户",),
    ),
    Entry(
        "children",
        "子女教育专项附加扣除标准",
        "每个子女每月2000元，可由父母一方全额扣除，也可各扣一半。",
        "国发〔2023〕13号",
        similar=("孩子上学个税一个月能扣多少",),
        valid_from="2023-01-01",
        tax=("个人所得税",),
    ),
    Entry(
        "car-old",
        "新能源汽车车辆购置税免征政策",
        "购置日期在2025年12月31日以前的新能源汽车，免征车辆购置税。",
        "财政部 税务总局 工信部公告2023年第10号",
        similar=("买电车免购置税吗",),
        valid_to="2025-12-31",
        successor="car-new",
    ),
    Entry(
        "car-new",
        "新能源汽车车辆购置税减半征收政策",
        "2026年至2027年购置的新能源汽车，减半征收车辆购置税，每辆减税不超过1.5万元。",
        "财政部 税务总局 工信部公告2023年第10号",
        similar=("电车购置税减半到什么时候",),
        valid_from="2026-01-01",
        valid_to="2027-12-31",
    ),
    Entry(
        "land",
        "县城城镇土地使用税每平方米税额",
        "县城一等地每平方米每年8元。",
        "云政发〔2023〕5号",
        similar=("县城土地使用税一平方多少钱",),
        valid_to="2026-11-24",
        tax=("城镇土地使用税",),
    ),
    Entry(
        "spare",
        "残疾人就业保障金怎么申报",
        "按年在电子税务局申报。",
        "财政部公告2023年第8号",
        status="draft",
    ),
)
