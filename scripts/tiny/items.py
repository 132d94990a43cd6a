"""Items of the synthetic world: facts drawn once, told in Chinese and in English.

An item's `key` names its facts whatever the language, the wording or the order of the options, so
that holding out a key holds out every rendering of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tiny import world

Fields = dict[str, str]
LETTERS = "ABCD"
PROMPTS = {
    ("arithmetic", "zh"): "{question}",
    ("arithmetic", "en"): "{question}",
    ("reading", "zh"): "短文：{passage}\n问题：{question}\n答案：{lead}",
    ("reading", "en"): "Passage: {passage}\nQuestion: {question}\nAnswer: {lead}",
    ("letters", "zh"): "{question}\nA. {A}\nB. {B}\nC. {C}\nD. {D}\n答案：{lead}",
    ("letters", "en"): "{question}\nA. {A}\nB. {B}\nC. {C}\nD. {D}\nAnswer: {lead}",
    ("word_problems", "zh"): "应用题：{question}\n解答：",
    ("word_problems", "en"): "Problem: {question}\nSolution:",
    ("passages", "zh"): "",
    ("passages", "en"): "",
}


@dataclass(frozen=True)
class Item:
    """One question: fields per language, the options (if any) and the index of the right one."""

    kind: str
    key: str
    fields: dict[str, Fields]
    choices: dict[str, list[str]] = field(default_factory=dict)
    gold: int = 0
    thought: dict[str, str] = field(default_factory=dict)
    steps: tuple[str, ...] = ()
    follow_ups: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def prompt(self, lang: str) -> str:
        """The text a model sees, up to where the answer begins."""
        return PROMPTS[self.kind, lang].format(**self.fields[lang])

    def answer(self, lang: str) -> str:
        """The right continuation, without the blank that may lead it."""
        return self.choices[lang][self.gold]


def separator(kind: str, lang: str) -> str:
    """What stands between a plain prompt and its answer."""
    return " " if lang == "en" or kind == "arithmetic" else ""


def step_key(sign: str, left: int, right: int) -> str:
    """The name of one sum; an addition and its mirror image share it."""
    if sign == "+":
        left, right = min(left, right), max(left, right)
    return f"{left}{sign}{right}"


def arithmetic(rng: Random, varied: bool = True) -> Item:
    """One addition or subtraction of numbers up to 98 with a two-digit result and four options."""
    if rng.random() < 0.5:
        sign, left, right = "+", rng.randint(3, 49), rng.randint(3, 49)
        value = left + right
    else:
        sign, left = "-", rng.randint(15, 60)
        right = rng.randint(3, left - 3)
        value = left - right
    if value < 10:
        return arithmetic(rng, varied)
    near = [value + d for d in (-20, -11, -10, -9, -2, -1, 1, 2, 9, 10, 11, 20) if 10 <= value + d <= 99]
    options = [value, *rng.sample(near, 3)]
    rng.shuffle(options)
    lead = rng.choice((0, 0, 1, 2)) if varied else 0
    sum_text = f"{left} {sign} {right} ="
    fields = {
        "zh": {"question": ("计算：", "", "算一算：")[lead] + sum_text},
        "en": {"question": ("Calculate: ", "", "Work out ")[lead] + sum_text},
    }
    texts = [str(option) for option in options]
    key = "arithmetic|" + step_key(sign, left, right)
    return Item(
        "arithmetic",
        key,
        fields,
        {"zh": texts, "en": texts},
        options.index(value),
        steps=(step_key(sign, left, right),),
    )


OWN = (("有", "has"), ("带着", "carries"), ("买了", "bought"))
ASK_OWN = {"有": "What does {} have?", "带着": "What does {} carry?", "买了": "What did {} buy?"}


def _reading_facts(rng: Random, count: int) -> tuple[world.Pair, list[world.Pair]]:
    """A verb and distinct objects for it."""
    if rng.random() < 0.4:
        return ("去了", "went to"), [(zh, "the " + en) for zh, en in rng.sample(world.PLACES, count)]
    things, colors = rng.sample(world.THINGS, count), rng.sample(world.COLORS, count)
    return rng.choice(OWN), [world.owned(t, c) for t, c in zip(things, colors, strict=True)]


def _tell(verb: world.Pair, people: list[world.Pair], things: list[world.Pair]) -> world.Pair:
    """The facts as sentences of two clauses each."""
    facts = list(zip(people, things, strict=True))
    zh = [p[0] + verb[0] + t[0] for p, t in facts]
    en = [f"{p[1]} {verb[1]} {t[1]}" for p, t in facts]
    return (
        "".join("，".join(zh[i : i + 2]) + "。" for i in range(0, len(zh), 2)),
        " ".join(", and ".join(en[i : i + 2]) + "." for i in range(0, len(en), 2)),
    )


def _ask(verb: world.Pair, person: world.Pair, thing: world.Pair, by_person: bool) -> world.Pair:
    """The question for one fact, asked from the person or from the thing."""
    if not by_person:
        return f"谁{verb[0]}{thing[0]}？", f"Who {verb[1]} {thing[1]}?"
    if verb[0] == "去了":
        return f"{person[0]}去了哪里？", f"Where did {person[1]} go?"
    return f"{person[0]}{verb[0]}什么？", ASK_OWN[verb[0]].format(person[1])


def _lead(verb: world.Pair, person: world.Pair, thing: world.Pair, by_person: bool) -> world.Pair:
    """The first words of the answer, which name what was asked about."""
    if by_person:
        return person[0] + verb[0], f"{person[1]} {verb[1]}"
    return f"{verb[0]}{thing[0]}的是", f"The one who {verb[1]} {thing[1]} is"


def reading(rng: Random, varied: bool = True) -> Item:
    """Facts in short sentences and a question about one of them; four facts, or fewer when
    varied.
    """
    count = rng.choice((2, 3, 4, 4)) if varied else 4
    people = rng.sample(world.NAMES, count)
    verb, things = _reading_facts(rng, count)
    passage = _tell(verb, people, things)
    order = rng.sample(range(count), count)
    by_person = [rng.random() < 0.6 for _ in range(count)]
    questions = [_ask(verb, people[i], things[i], by) for i, by in zip(order, by_person, strict=True)]
    leads = [_lead(verb, people[i], things[i], by) for i, by in zip(order, by_person, strict=True)]
    replies = [things[i] if by else people[i] for i, by in zip(order, by_person, strict=True)]
    options = [(things if by_person[0] else people)[i] for i in range(count)]
    rng.shuffle(options)

    fields, choices, more = {}, {}, {}
    for n, lang in enumerate(world.LANGUAGES):
        fields[lang] = {"passage": passage[n], "question": questions[0][n], "lead": leads[0][n]}
        choices[lang] = [option[n] for option in options]
        again = ("\n问题：{}\n答案：{}", "\nQuestion: {}\nAnswer: {}")[n]
        more[lang] = [(again.format(questions[i][n], leads[i][n]), replies[i][n]) for i in range(1, count)]

    # Equal facts in another order are the same item.
    key = (
        "reading|"
        + verb[1]
        + "|"
        + ";".join(sorted(f"{p[1]}:{t[1]}" for p, t in zip(people, things, strict=True)))
    )
    return Item("reading", key, fields, choices, options.index(replies[0]), follow_ups=more)


# Question, first words of the answer, place of the right option.
Asked = tuple[world.Pair, world.Pair, int]


def _number_question(rng: Random) -> tuple[list[world.Pair], list[Asked]]:
    """Four numbers; the largest is asked for first, then the smallest."""
    numbers = [str(n) for n in rng.sample(range(10, 100), 4)]
    questions: list[Asked] = []
    for zh, en, best in (("大", "largest", max(numbers)), ("小", "smallest", min(numbers))):
        ask = (f"下面哪个数最{zh}？", f"Which number is the {en}?")
        questions.append((ask, (f"最{zh}的数是", f"The {en} number is"), numbers.index(best)))
    return [(n, n) for n in numbers], questions


def _word_question(rng: Random) -> tuple[list[world.Pair], list[Asked]]:
    """Words of four categories; each is asked for by name or by category."""
    names = rng.sample(sorted(world.CATEGORIES), 4)
    words = [rng.choice(world.CATEGORIES[name]) for name in names]
    questions: list[Asked] = []
    for position in rng.sample(range(4), 4):
        name, word = names[position], words[position]
        if rng.random() < 0.5:
            ask, lead = (
                (f"下面哪一项是{word[0]}？", f"Which option says {word[1]}?"),
                (f"{word[0]}是", f"The word {word[1]} is"),
            )
        else:
            bare = name[1].split(" ", 1)[1]
            ask, lead = (
                (f"下面哪一项是{name[0]}？", f"Which of these is {name[1]}?"),
                (f"{name[0]}是", f"The {bare} is"),
            )
        questions.append((ask, lead, position))
    return words, questions


def letters(rng: Random, varied: bool = True) -> Item:
    """A question answered by one of the letters A to D, laid out as in C-Eval and MMLU."""
    options, questions = (_number_question if rng.random() < 0.15 else _word_question)(rng)
    fields, more = {}, {}
    for n, lang in enumerate(world.LANGUAGES):
        shown = {letter: options[i][n] for i, letter in enumerate(LETTERS)}
        fields[lang] = {"question": questions[0][0][n], **shown, "lead": questions[0][1][n]}
        again = ("\n{}\n答案：{}", "\n{}\nAnswer: {}")[n]
        more[lang] = [(again.format(ask[n], lead[n]), LETTERS[place]) for ask, lead, place in questions[1:]]

    key = f"letters|{questions[0][0][1]}|" + ",".join(sorted(option[1] for option in options))
    choices = {lang: list(LETTERS) for lang in world.LANGUAGES}
    return Item("letters", key, fields, choices, questions[0][2], follow_ups=more)


GAIN = (("又买了{}个。", "{name} buys {} more."), ("朋友送来{}个。", "A friend brings {} more."))
LOSE = (("吃了{}个。", "{name} eats {}."), ("送给朋友{}个。", "{name} gives {} to a friend."))


def word_problems(rng: Random, varied: bool = True) -> Item:
    """A one-step or two-step story sum about fruit, with its steps written out."""
    name, fruit = rng.choice(world.NAMES), rng.choice(world.FRUITS)
    total = start = rng.randint(5, 30)
    zh, en = [f"{name[0]}有{start}个{fruit[0]}。"], [f"{name[1]} has {start} {fruit[1]}."]
    sums, steps = [], []
    for _ in range(rng.choice((1, 2))):
        # What is taken away leaves two at least.
        sign = rng.choice("+-") if total > 5 else "+"
        by = rng.randint(2, min(19, total - 2) if sign == "-" else 19)
        after = total + by if sign == "+" else total - by
        clause = rng.choice(GAIN if sign == "+" else LOSE)
        zh.append(clause[0].format(by))
        en.append(clause[1].format(by, name=name[1]))
        sums.append(f"{total} {sign} {by} = {after}")
        steps.append(step_key(sign, total, by))
        total = after

    fields = {
        "zh": {"question": "".join(zh) + f"{name[0]}现在有多少个{fruit[0]}？"},
        "en": {"question": " ".join(en) + f" How many {fruit[1]} does {name[1]} have now?"},
    }
    thought = {
        "zh": "".join(f"{sentence}。" for sentence in (f"开始有{start}个", *sums)),
        "en": " ".join(f"{sentence}." for sentence in (f"Start with {start}", *sums)),
    }
    choices = {"zh": [f"答案是{total}。"], "en": [f"The answer is {total}."]}
    return Item(
        "word_problems", "word_problems|" + ",".join(steps), fields, choices, 0, thought, tuple(steps)
    )


def passages(rng: Random, varied: bool = True) -> Item:
    """A short story of five sentences, for perplexity."""
    day, sky, place = rng.choice(world.DAYS), rng.choice(world.WEATHER), rng.choice(world.PLACES)
    (one, two), end, meal = rng.sample(world.NAMES, 2), rng.choice(world.ENDINGS), rng.choice(world.MEALS)
    number, sight = rng.choice(world.NUMBERS), rng.choice(world.SIGHTS)
    things, colors = rng.sample(world.THINGS, 2), rng.sample(world.COLORS, 2)
    first, second = (world.owned(t, c) for t, c in zip(things, colors, strict=True))
    zh = (
        f"{day[0]}，{sky[0]}。{one[0]}和{two[0]}去了{place[0]}。{one[0]}带着{first[0]}，{two[0]}带着{second[0]}。"
        f"他们看见了{number[0]}只{sight[0]}，{end[0]}。晚上，{one[0]}和{two[0]}一起吃{meal[0]}。"
    )
    en = (
        f"On {day[1]}, {sky[1]}. {one[1]} and {two[1]} went to the {place[1]}. {one[1]} carried "
        f"{first[1]}, and {two[1]} "
        f"carried {second[1]}. They saw {number[1]} {sight[1]}, and {end[1]}. In the evening, {one[1]} and "
        f"{two[1]} ate {meal[1]} together."
    )
    key = "passages|" + "|".join(p[1] for p in (day, place, one, two, first, second, sight, end, meal))
    return Item("passages", key, {"zh": {"text": zh}, "en": {"text": en}}, {"zh": [zh], "en": [en]})


MAKERS: dict[str, Callable[[Random, bool], Item]] = {
    "arithmetic": arithmetic,
    "reading": reading,
    "letters": letters,
    "word_problems": word_problems,
    "passages": passages,
}
