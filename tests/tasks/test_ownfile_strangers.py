"""Own files as strangers make them: one row of each layout, and the question, options and gold"
" it means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.ownfile import read, refused, table

CITIES = ["上海", "北京", "广州", "深圳"]
ASKED = {"question": "首都？", "choices": CITIES, "answer": 1}
LISTED = "A. 上海 B. 北京 C. 广州 D. 深圳"
FREE = {"question": "首都？", "answer": "北京"}


def lined(*rows: Any) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def objects(name: str, label: str, text: str, **more: Any) -> str:
    options = [{label: letter, text: city} for letter, city in zip("ABCD", CITIES, strict=True)]
    return lined({"question": "首都？", name: options, "answerKey": "B", **more})


LETTERED = {f"{letter}": city for letter, city in zip("ABCD", CITIES, strict=True)}
LAYOUTS: dict[str, tuple[str, str]] = {
    "ceval.csv": ("id,question,A,B,C,D,answer,explanation\n0,首都？,上海,北京,广州,深圳,B,\n", "choice"),
    "cmmlu.csv": (",Question,A,B,C,D,Answer\n0,首都？,上海,北京,广州,深圳,B\n", "choice"),
    "m3ke.jsonl": (lined({"id": 0, "question": "首都？", **LETTERED, "answer": "B"}), "choice"),
    "mmlu.jsonl": (
        lined(
            {"question": "首都？", "subject": "geo", "choices": CITIES, "answer": 1}, ASKED | {"answer": 0}
        ),
        "first",
    ),
    "mmlu_pro.jsonl": (
        lined(
            {
                "question_id": 70,
                "question": "首都？",
                "options": CITIES,
                "answer": "B",
                "answer_index": 1,
                "cot_content": "",
                "category": "geo",
                "src": "ori",
            }
        ),
        "choice",
    ),
    "agieval.jsonl": (
        lined(
            {
                "passage": None,
                "question": "首都？",
                "options": [f"({letter}){city}" for letter, city in zip("ABCD", CITIES, strict=True)],
                "label": "B",
                "answer": None,
                "other": None,
            }
        ),
        "choice",
    ),
    "agieval_cloze.jsonl": (
        lined({"passage": None, "question": "首都？", "options": None, "label": None, "answer": "北京"}),
        "free",
    ),
    "arc.jsonl": (
        lined(
            {
                "id": "x",
                "question": {
                    "stem": "首都？",
                    "choices": [{"text": c, "label": k} for k, c in zip("ABCD", CITIES, strict=True)],
                },
                "answerKey": "B",
            }
        ),
        "choice",
    ),
    "arc_hub.jsonl": (
        lined({"question": "首都？", "choices": {"text": CITIES, "label": list("ABCD")}, "answerKey": "B"}),
        "choice",
    ),
    "arc_numbers.jsonl": (
        lined({"question": "首都？", "choices": {"text": CITIES, "label": list("1234")}, "answerKey": "2"}),
        "choice",
    ),
    "objects.jsonl": (objects("options", "key", "value"), "choice"),
    "objects_id.jsonl": (objects("choices", "id", "content"), "choice"),
    "dict.jsonl": (lined({"question": "首都？", "options": LETTERED, "answer": "B"}), "choice"),
    "medqa.jsonl": (
        lined(
            {"question": "首都？", "answer": "北京", "options": LETTERED, "meta_info": "s", "answer_idx": "B"}
        ),
        "choice",
    ),
    "list_as_json.csv": (
        'question,options,answer\n首都？,"[""上海"", ""北京"", ""广州"", ""深圳""]",B\n',
        "choice",
    ),
    "list_as_repr.csv": (
        "question,choices,answer\n首都？,\"['上海', '北京', '广州', '深圳']\",B\n",
        "choice",
    ),
    "dict_as_repr.csv": (
        "question,options,answer\n首都？,\"{'A': '上海', 'B': '北京', 'C': '广州', 'D': '深圳'}\",B\n",
        "choice",
    ),
    "bars.csv": ("question,options,answer\n首都？,上海|北京|广州|深圳,北京\n", "choice"),
    "one_cell.csv": (f"题目,选项,答案\n首都？,{LISTED},B\n", "choice"),
    "one_cell_lines.csv": ('题目,选项,答案\n首都？,"A、上海\nB、北京\nC、广州\nD、深圳",B\n', "choice"),
    "one_cell_semicolons.csv": ("题干,选项,正确答案\n首都？,A.上海；B.北京；C.广州；D.深圳,B\n", "choice"),
    "inside.csv": (f"题目,答案\n首都？ {LISTED},B\n", "choice"),
    "inside_lines.jsonl": (
        lined({"question": "首都？\nA．上海\nB．北京\nC．广州\nD．深圳", "answer": "B"}),
        "choice",
    ),
    "gaokao.jsonl": (
        lined({"question": "首都？\n(A) 上海  (B) 北京  (C) 广州  (D) 深圳", "answer": ["B"], "index": 0}),
        "choice",
    ),
    "letters_only.jsonl": (
        lined({"question": f"首都？\n{LISTED}", "choices": ["A", "B", "C", "D"], "answer": "B"}),
        "choice",
    ),
    "letters_only.csv": (f'题目,choices,答案\n首都？{LISTED},"A,B,C,D",B\n', "choice"),
    "one_cell_circled.csv": ("题目,选项,答案\n首都？,①上海 ②北京 ③广州 ④深圳,②\n", "choice"),
    "chinese.csv": ("题目,选项A,选项B,选项C,选项D,答案\n首都？,上海,北京,广州,深圳,B\n", "choice"),
    "chinese_numbers.csv": ("问题,选项1,选项2,选项3,选项4,答案\n首都？,上海,北京,广州,深圳,北京\n", "choice"),
    "stems.csv": ("题目,甲,乙,丙,丁,答案\n首都？,上海,北京,广州,深圳,乙\n", "choice"),
    "wide.csv": ("题目，Ａ，Ｂ，Ｃ，Ｄ，答案\n首都？，上海，北京，广州，深圳，Ｂ\n", "choice"),
    "excel.csv": ("\ufeff题目;A;B;C;D;答案\r\n首都？;上海;北京;广州;深圳;B\r\n", "choice"),
    "tabs.tsv": ("question\tA\tB\tC\tD\tanswer\n首都？\t上海\t北京\t广州\t深圳\tB\n", "choice"),
    "belebele.jsonl": (
        lined(
            {
                "flores_passage": "",
                "question": "首都？",
                **{f"mc_answer{n}": city for n, city in enumerate(CITIES, 1)},
                "correct_answer_num": "②",
            }
        ),
        "choice",
    ),
    "text_gold.jsonl": (lined({"question": "首都？", "choices": CITIES, "answer": "北京"}), "choice"),
    "marked_gold.csv": ("question,A,B,C,D,answer\n首都？,上海,北京,广州,深圳,B. 北京\n", "choice"),
    "said_gold.csv": ("question,A,B,C,D,answer\n首都？,上海,北京,广州,深圳,选项B\n", "choice"),
    "list.json": (json.dumps([{"question": "首都？", "options": CITIES, "answer": "B"}]), "choice"),
    "free.csv": ("问题,答案\n首都？,北京\n", "free"),
    "squad.jsonl": (
        lined({"question": "首都？", "answers": {"text": ["北京"], "answer_start": [0]}, "context": ""}),
        "free",
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_of_strangers(tmp_path: Path, name: str) -> None:
    text, kind = LAYOUTS[name]
    rows = read(table(tmp_path, text, name)).rows
    assert {key: rows[0][key] for key in rows[0] if key != "category"} == (FREE if kind == "free" else ASKED)


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig"])
def test_a_chinese_windows_saves_gbk(tmp_path: Path, encoding: str) -> None:
    text = "题目,选项A,选项B,选项C,选项D,答案\r\n首都？,上海,北京,广州,深圳,B\r\n"
    own = read(table(tmp_path, text, encoding=encoding))
    assert own.rows == [ASKED]
    assert any("GBK" in note for note in own.notes) == encoding.startswith("gb")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("질문,정답\n대한민국의 수도는 어디입니까,서울입니다\n", "euc-kr"),
        ("問題,答え\n日本の首都はどこですか,東京です\n", "shift-jis"),
        ("題目,答案\n臺灣最高的山是哪一座,玉山\n", "big5"),
        ("題目,答案\n臺灣最高的山是哪一座,玉山\n", "gbk"),
        ("вопрос,ответ\nстолица России,Москва\n", "cp1251"),
        ("question,answer\nOù est-ce déjà ? Là-bas,à côté\n", "latin-1"),
    ],
)
def test_what_may_be_another_encoding_is_refused(tmp_path: Path, text: str, encoding: str) -> None:
    refused(table(tmp_path, text, encoding=encoding), "not UTF-8", "encoding: gbk")


def test_damaged_utf8_is_not_taken_for_gbk(tmp_path: Path) -> None:
    text = "题目,答案\n下列哪一座城市是中华人民共和国的首都？,北京\n我国面积最大的省级行政区是哪一个？,新疆\n"
    data = text.encode()
    for cut in range(20, 60):
        (tmp_path / "own.csv").write_bytes(data[:cut] + data[cut + 1 :])
        if (data[:cut] + data[cut + 1 :]).decode(errors="ignore") != (data[:cut] + data[cut + 1 :]).decode(
            errors="replace"
        ):
            refused(tmp_path / "own.csv", "not UTF-8")


@pytest.mark.parametrize("encoding", ["big5", "gbk", "utf-16"])
def test_a_named_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    own = read(table(tmp_path, "question,answer\n首都？,北京\n", encoding=encoding), encoding=encoding)
    assert own.rows == [FREE]


def test_a_text_that_the_questions_are_about_is_shown(tmp_path: Path) -> None:
    rows = [ASKED | {"passage": passage, "answer": "B"} for passage in ("中国……", "")]
    path = table(tmp_path, lined(*rows), "own.jsonl")
    assert [row["question"] for row in read(path).rows] == ["中国……\n首都？", "首都？"]
    assert read(path, context="").rows[0] == ASKED
