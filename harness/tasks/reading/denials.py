"""Words that deny, suppose, take back or replace what they stand beside, in Chinese and English."""

from __future__ import annotations

import re

NOT_AFTER = re.compile(
    r"(?i:\s*(?:definitely |certainly |clearly |probably )?(?:not\b|n't\b|neither\b|never\b)"
    r"|\s*(?:cannot|can't|couldn't) be\b|\s*(?:并不|不|并非|绝非|非|没))"
)
BUT = re.compile(
    r"(?i:\bbut(?: rather| instead)?(?: it'?s| is)?\b|\brather\b|\binstead\b|而是|而应是|而应选|应该是|应是"
    r"|应为|应选|,\s*(?:it'?s|是)|;\s*it is)"
)
NOT_BEFORE_EN = re.compile(
    r"(?i:(?:\bnot(?: to)?|n't|\bnever|\bavoid|\bcannot|\brather than|\binstead of|\bwithout"
    r"|\bwrongly|\bmistakenly|\bincorrectly)(?:\s+\w+){0,2}\s*$"
    r"|\b(?:wrong|incorrect|false|tempting|common|second|next|other|another|alternative"
    r"|alternate|runner-up|popular|bad|trick|trap|close|close[sr]t"
    r"|previous|initial|original|distractor|no|not (?:a|the))\b(?:\s+\w+){0,2}\s*$"
    r"|\b(?:people|students|others|many|someone|candidates|they|readers|examinees|(?:you|one"
    r"|some) (?:might|may|could))\b(?:\s+\w+){0,4}\s*$"
    r"|\b(?:tempt\w*|(?<!made a )(?<!made an )mistake[ns]?|trap|misconception|pitfall|distractors?)\b"
    r"(?:(?!\b(?:but|however|actually|instead)\b)[^.\n])*$)"
)
NOT_BEFORE_ZH = re.compile(
    r"(?:不|没有?|别|勿|未|排除|不能|不应该?|不可以?|不该|不会|不要|无法|难以|不宜|而非|误|错|多"
    r"|备|候|漏|筛|待|改)$"
    r"|(?:错误|误|不正确|干扰|备选|候选|其他|其它|另一个?|陷阱|迷惑|易错|原来|最初|非)的?$"
    r"|(?:错误|误区|陷阱|错选|误选|干扰)[^,。;!?\n]{0,4}:$|(?:另一个?|其他|其它|别的)[^,。;!?\n:]{0,6}的$"
    r"|(?:容易|误以为|误认为|误选|错选|有人|(?:有的?|有些|不少|很多|许多|部分|多数|大多数)(?:人"
    r"|同学|考生|学生)|干扰项|陷阱|迷惑)[^,。;!?\n]*$"
)
HYPOTHESIS = re.compile(
    r"否则|(?i:\botherwise\b|\b(?:if|had|were|suppose|assuming|unless)\b.*\bwould\b|\bmight be\W*$"
    r"|\bmay be\W*$"
    r"|\bcould be\W*$)|(?:如果|若|假如|假设|倘若|要是)"
)
POSSIBLE = re.compile(r"(?i:\b(?:possible|potential|plausible|likely wrong)\s+$)")
RETRACTED = re.compile(
    r"[\s.,。;!?…)\-—]*(?i:but\s+|oh,?\s*|hmm,?\s*)?(?i:\(?(?:wait\b(?!ing)\s*[,.!…—:-]"
    r"|wait,?\s+(?:no|that|i|a)\b|no[,.!;—]|no\s*$|oops|hold on|scratch that"
    r"|(?:that|this)(?:'s| is) (?:not (?:right|correct)|wrong|incorrect)|i made a mistake"
    r"|let me re)|不对|不,|错了|等等[,.。!…]|等一下|等下|且慢|慢着|哦不|抱歉|这不对)"
)
CORRECTED = re.compile(
    r"(?i:\bwait\b|\bno,|\bactually\b|\bmistake\b|\bcorrection\b|\bsorry\b|\bre-?check"
    r"|\breconsider)|更正|不对|错了|抱歉|等等|纠正|修正|重新"
)
