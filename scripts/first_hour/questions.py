"""Sixty Chinese questions with options, as a student keeps them in Excel."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

CAPITALS = {
    "法国": "巴黎", "德国": "柏林", "意大利": "罗马", "西班牙": "马德里", "葡萄牙": "里斯本",
    "英国": "伦敦", "日本": "东京", "韩国": "首尔", "泰国": "曼谷", "越南": "河内",
    "埃及": "开罗", "肯尼亚": "内罗毕", "古巴": "哈瓦那", "秘鲁": "利马", "智利": "圣地亚哥",
    "加拿大": "渥太华", "希腊": "雅典", "波兰": "华沙", "挪威": "奥斯陆", "芬兰": "赫尔辛基",
}  # fmt: skip
FACTS = {
    "水的化学式是什么？": "H2O|CO2|NaCl|O2",
    "一年有多少个月？": "12|10|11|13",
    "《红楼梦》的作者是谁？": "曹雪芹|吴承恩|罗贯中|施耐庵",
    "《西游记》的作者是谁？": "吴承恩|曹雪芹|蒲松龄|罗贯中",
    "太阳从哪个方向升起？": "东方|西方|南方|北方",
    "中国最长的河流是哪一条？": "长江|黄河|珠江|淮河",
    "世界上面积最大的大洋是哪一个？": "太平洋|大西洋|印度洋|北冰洋",
    "人体最大的器官是什么？": "皮肤|肝脏|心脏|肺",
    "光合作用吸收的气体是什么？": "二氧化碳|氧气|氮气|氢气",
    "一个三角形的内角和是多少度？": "180|90|270|360",
    "“床前明月光”的下一句是什么？": "疑是地上霜|举头望明月|低头思故乡|春眠不觉晓",
    "中国的国宝动物是什么？": "大熊猫|金丝猴|东北虎|丹顶鹤",
    "端午节吃的传统食物是什么？": "粽子|月饼|汤圆|饺子",
    "中秋节吃的传统食物是什么？": "月饼|粽子|年糕|春卷",
    "地球绕着什么转？": "太阳|月亮|火星|金星",
    "标准大气压下水的沸点是多少摄氏度？": "100|0|50|200",
    "一小时有多少分钟？": "60|24|30|100",
    "最小的质数是几？": "2|1|3|0",
    "《论语》记录的是谁的言行？": "孔子|老子|庄子|墨子",
    "造纸术的改进者是谁？": "蔡伦|毕昇|张衡|祖冲之",
}


def rows(seed: int = 7) -> list[dict[str, str]]:
    """Sixty rows in C-Eval's own layout, with a category: question, A to D, answer, category."""
    draw = random.Random(seed)
    listed: list[tuple[str, list[str], str]] = []
    for country, capital in CAPITALS.items():
        others = draw.sample([name for name in CAPITALS.values() if name != capital], 3)
        listed.append((f"{country}的首都是哪座城市？", [capital, *others], "地理"))
    listed += [(text, options.split("|"), "常识") for text, options in FACTS.items()]
    for _ in range(20):
        left, right = draw.randint(11, 89), draw.randint(11, 89)
        total = left + right
        sums = [total, *draw.sample([total - 10, total - 1, total + 1, total + 10, total + 11], 3)]
        listed.append((f"{left}加{right}等于多少？", [str(value) for value in sums], "算术"))

    # The right option comes first above; what a reader sees is shuffled, with every letter a quarter.
    keys = list("ABCD") * 15
    draw.shuffle(keys)
    table = []
    for (text, options, category), key in zip(listed, keys, strict=True):
        wrong = options[1:]
        draw.shuffle(wrong)
        letters = {letter: options[0] if letter == key else wrong.pop() for letter in "ABCD"}
        table.append({"question": text, **letters, "answer": key, "category": category})
    return table


def excel_csv(path: Path, encoding: str = "gbk", seed: int = 7) -> None:
    """Writes the questions as Excel in Chinese saves "CSV": GBK, and lines that end in CRLF."""
    table = rows(seed)
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(table)
    path.write_bytes(text.getvalue().encode(encoding))
