"""Words that introduce a stated answer, in Chinese and English.

Traditional Chinese is folded to simplified before. A cue ends right before the letter (or the
option's text) that it states. All patterns are matched on folded text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Weight = Literal["final", "stated", "tentative", "judged"]


@dataclass(frozen=True)
class Cue:
    """Words that introduce an answer, under the name of their rule.

    ``closed``: the letter must end its clause, because the words before it say little ("so B." but
    not "so B cells").
    """

    rule: str
    pattern: re.Pattern[str]
    weight: Weight = "stated"
    closed: bool = False


_IS = (  # repeats are bounded: a model may write one word a thousand times
    r"(?:\s*(?:\bis\b|\bwas\b|\bare\b|\b(?:would|should|must|will|can only|has to|ought to"
    r"|might|may|could) be\b|\b(?:seems|appears) to be\b"
    r"|'s\b|[=:|→⇒—]|->|=>|-(?=[\s(\[\"'A-Za-z])))+"
)
_OF = r"(?:\s*(?:\((?:s|letter|option|choice)\)|\b(?:letter|option|choice|key|number)\b))?"
_TO = (
    r"(?:\s+(?:to|for|of|in|from|among|here|that|which|we|i|you|given|based|above|below"
    r"|according)\b(?:\s+(?!is\b|was\b)[\w'#.()-]+){0,9}?)?"
)
_NOUN = (
    r"\b(?:answers?|ans\.?|response|(?<!many )(?:option|choice)|pick|guess|selection|conclusion"
    r"|solution|verdict)"
)
_VERB = (
    r"\b(?:choose|chose|select|selected|pick|picked|go(?:ing)? (?:with|for)|went with|opt(?:ed)? for"
    r"|vote(?: for)?|settle on|answer with|lean towards?)\b"
)
_AND_SO = (
    r"(?:so|by (?:the )?(?:process of )?elimination|thus|therefore|hence|consequently"
    r"|in conclusion|in summary|in short|overall"
    r"|conclusion|finally|ultimately|∴|⇒|=>|→)"
)
_NO_WAIT = (
    r"(?:wait|no|nope|that'?s (?:wrong|incorrect|not right)|actually|correction|sorry|oops|hmm"
    r"|scratch that|rather|i mean|make that"
    r"|不对|不|更正|哦不|噢不|抱歉|纠正|改正|错了|等等)"
)

CUES = (
    Cue(
        "final answer",
        re.compile(r"(?i:\bfinal(?: correct)? (?:answer|choice|option|response)" + _OF + _TO + _IS + ")"),
        "final",
    ),
    Cue("answer", re.compile(r"(?i:" + _NOUN + _OF + _TO + _IS + ")")),
    Cue(
        "answer",
        re.compile(
            r"(?i:(?<!to )\b(?:answers?|ans\.?)(?: option| choice| letter)?)(?=\s*[\"'(\[]?\s*[A-Z]\b)"
        ),
        closed=True,
    ),
    Cue(
        "correct one",
        re.compile(
            (
                r"(?i:\b(?:correct|right|best|true|accurate|appropriate|suitable) (?:one|statement|letter"
                r"|response|description)"
            )
            + _TO
            + _IS
            + ")"
        ),
    ),
    Cue(
        "correct",
        re.compile(
            r"(?i:(?:^|\n|[.。]\s)[\s#>-]{0,8}(?:correct|right|result|final|output|letter|vote"
            r"|assistant|model)\s*(?::|=|->|→))"
        ),
        closed=True,
    ),
    Cue("answer?", re.compile(r"(?:(?i:\banswer)|答案(?:是|呢)?)\s?\?"), closed=True),
    Cue(
        "key",
        re.compile(
            r"(?i:\b(?:correct|final|selected|best|right|predicted|chosen)_(?:answer|option"
            r"|choice)(?:_letter)?\s*[:=])"
        ),
        closed=True,
    ),
    Cue("choose", re.compile(r"(?i:" + _VERB + r")")),
    Cue(
        "think",
        re.compile(
            r"(?i:\b(?:i|we)(?:'d| would)?\s+(?:think|believe|guess|say|conclude|suspect|feel)\b"
            r"(?:\s+that)?(?:\s+(?:it|this|the answer)(?:'s|\s+is|\s+must be|\s+should be)?)?)"
        ),
        closed=True,
    ),
    Cue(
        "it is",
        re.compile(r"(?i:\b(?:it|this|that)(?:'s|\s+is|\s+must be|\s+has to be|\s+should be|\s+would be)\b)"),
        closed=True,
    ),
    Cue(
        "that makes",
        re.compile(
            r"(?i:\b(?:which is|i\.e\.,?|namely|leaves|leaving|left with|makes|making"
            r"|corresponds to|matches|points to|leads to"
            r"|selecting|choosing)"
            r"(?: us with| me with)?(?: only| just)?)"
        ),
        "judged",
        closed=True,
    ),
    Cue("so", re.compile(r"(?i:(?:^|[\s.,;(])" + _AND_SO + r"\b\s*[,:]?)"), closed=True),
    Cue("so", re.compile(r"(?:∴|⇒|=>|→)\s*"), closed=True),
    Cue(
        "correction",
        re.compile(
            r"(?i:(?:^|[\s,.!…;。—(])" + _NO_WAIT + r"(?:[,.!:…—。\s]+" + _NO_WAIT + r")*[,.!:…—。\s]+"
            r"(?:it(?:'s| is)|that(?:'s| is)|应该是|应当是|应是|应为|是|应选|选)?)"
        ),
        closed=True,
    ),
    Cue(
        "correction",
        re.compile(r"(?i:\b(?:corrected|changed?|changing)(?: my answer| it)? to\b)"),
        closed=True,
    ),
    Cue("not…but", re.compile(r"(?i:\bnot\b[^,.;!?\n]{1,24},?\s*but(?: rather)?\b)"), closed=True),
    Cue(
        "最终答案",
        re.compile(
            r"(?:(?:最终|最后)(?:确定|选定|判定)|(?:最终|最后)的?(?:正确)?(?:答案|选择|选项"
            r"|结论))(?:选项|字母)?[】\]」》)]*"
        ),
        "final",
    ),
    Cue(
        "答案",
        re.compile(
            r"答案(?:选项|字母|序号|代号)?[】\]」》〗)]*(?:应该|应当|应|就|只能|只|显然|肯定|必然"
            r"|确实|仍然|仍|还|最可能|可能|大概|便|也就)*"
        ),
    ),
    Cue(
        "正确的是",
        re.compile(
            r"(?<![不非])(?:正确|恰当|合适|合理|准确|符合题意|符合要求|最佳|最优|最合适|最恰当|最准确|对)的?"
            r"(?:选项|说法|一项|选择|表述|描述|叙述|项)*(?:应该|应当|应|只有|只能|就)*(?:是|为|:|有)"
        ),
    ),
    Cue("选", re.compile(r"选(?:择|取|定)?(?:的是)?(?!项|修|举|手|民|区|拔|秀|题|用|出|中|址|集)")),
    Cue("选项是", re.compile(r"选(?:项|择)的?(?:选项|答案)?(?:应该|应当|应|就)*(?:是|为|:)")),
    Cue(
        "答",
        re.compile(
            r"(?:(?:^|\n)\s{0,8}(?:答(?=[\s:])|(?:回答|结果|输出|结论)\s{0,4}:)|正解(?:是|为|:)"
            r"|我的(?:回答|选择)(?:是|为|:))"
        ),
        closed=True,
    ),
    Cue(
        "是",
        re.compile(
            r"(?:^|[\n,。;:])\s{0,4}(?:必须|肯定|一定|当然|那么|那就|就|八成|盲?猜"
            r"|蒙)?\s{0,2}(?:是|选|盲?猜|蒙)"
        ),
        closed=True,
    ),
    Cue(
        "可能",
        re.compile(r"(?:^|[\n,。;:])\s{0,4}(?:可能|大概|也许|或许|估计)\s{0,2}(?:是|选|为)"),
        "tentative",
        closed=True,
    ),
    Cue(
        "对应",
        re.compile(
            r"(?:对应|符合|匹配|指向)(?:的?是|于|着|为|的选项(?:是"
            r"|为))?选?项?(?=[\s\"'(「【]?[A-Z](?![A-Za-z]))"
        ),
        "judged",
        closed=True,
    ),
    Cue("不是…是", re.compile(r"不是(?:[^,。;!?\n]{0,16}[,;]|\s?[A-Z]项?)\s*是"), closed=True),
    Cue(
        "我认为",
        re.compile(r"我(?:们)?(?:认为|觉得|猜测?|想|相信|判断|推测)(?:应该|应当|应|可能|大概|,)*(?:是|选)?"),
        closed=True,
    ),
    Cue(
        "而是",
        re.compile(
            r"(?:而是|而应是|而应选|其实是|实际上?是|应该是|应当是|应是|应为|改为|改选|更正为|就是"
            r"|才是|只能是)"
        ),
        closed=True,
    ),
    Cue(
        "因此",
        re.compile(
            r"(?:因此|所以|故|可得|综上所述|综上|由此可知|可知|可见|即|也就是|于是|结论)[,:]?(?:是"
            r"|为|应是|应为|得到?|得出)?"
        ),
        closed=True,
    ),
    Cue("剩下", re.compile(r"(?:剩下|只剩下?|仅剩|余下)的?(?:选项)?(?:是|只有|就是)?"), "judged"),
)

STRUCTURES = (
    ("box", re.compile(r"<\|begin_of_box\|>(.*?)(?:<\|end_of_box\|>|$)", re.DOTALL)),
    (
        "tag",
        re.compile(
            (
                r"<(answer|final_answer|finalanswer|final|ans|choice|option|result|letter|output"
                r"|solution|答案|最终答案"
                r"|选项)>(.*?)(?:</\1\s*>|<\1>|$)"
            ),
            re.DOTALL | re.IGNORECASE,
        ),
    ),
    ("tag", re.compile(r"\[(answer|ans|final|答案)\](.*?)\[/\1\]", re.DOTALL | re.IGNORECASE)),
    ("double brackets", re.compile(r"\[\[([^\[\]\n]{1,80})\]\]")),
    ("code", re.compile(r"(?m)^\s{0,8}(?:print\s?\(|return\b)\s?[\"']([A-Za-z])[\"']")),
    (
        "table",
        re.compile(
            r"(?m)^\s{0,4}\|(?:[^|\n]*\|)*?\s*(?i:(?:correct |final )?answer|(?:正确|最终)?答案"
            r"|选择)\s*\|\s*\n[|:\s-]+\n"
            r"(?:\|[^|\n]*)*?\|([^|\n]*)\|\s*$(?!\n\|)"
        ),
    ),
    ("####", re.compile(r"(?m)^[^\S\n]{0,8}####\s*([^\n#]{1,80})$")),
)
BOXED = re.compile(r"\\(?:boxed|fbox|framebox)\s*\{")
_KEYS = (
    r"(?:the_|final_|correct_|my_|selected_|predicted_|right_|best_)?(?:answer|option|choice"
    r"|letter|response|prediction|selection)"
    r"(?:_(?:letter|option|choice|key|id|text))?|ans|result|label|pred|答案|最终答案|正确答案|选项"
    r"|正确选项|选择"
)
JSON = re.compile(
    (
        rf"[\"'](?:{_KEYS})[\"']\s*:\s*(?:\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'"
        rf"|\[([^\]\n]*)\]|([A-Za-z]\b|-?\d[\d,]*(?:\.\d+)?))"
    ),
    re.IGNORECASE,
)


RUN_ON = re.compile(
    r"(?im:^[^\S\n]{0,8}[#>*-]{0,8}[^\S\n]{0,8}(?:question|q|problem|exercise|问题|题目|单选题"
    r"|选择题|例题|user|human"
    r"|<\|im_start\|>)\s*(?:\d+|[一二三四五六七八九十]+)?\s*[:.、].*$"
    r"|^[^\S\n]{0,8}#{1,6}[^\S\n]{1,4}(?:question|problem|exercise|问题|题目|例题)\s?\d{1,4}[^\S\n]{0,8}$"
    r"|</s>|<[|](?:eot_id|eom_id|end▁of▁sentence|return)[|]>|<end_of_turn>|<eos>|\[/INST\]"
    r"|^[^\S\n]{0,8}第\s{0,4}[\d一二三四五六七八九十]+\s*题"
    r"|^[^\S\n]{0,8}the following is a multiple-choice question"
    r"|^[^\S\n]{0,8}下面是一道单项选择题|<\|im_(?:start|end)\|>|<\|end(?:oftext|_of_text)?\|>)"
)
