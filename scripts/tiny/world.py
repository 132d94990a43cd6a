"""Words of the synthetic world.

Every word is a (Chinese, English) pair, so one set of facts can be told in both languages and the
Chinese and English tasks stay parallel item by item.
"""

from __future__ import annotations

LANGUAGES = ("zh", "en")
Pair = tuple[str, str]


def pairs(text: str) -> tuple[Pair, ...]:
    """Read "中文=english, …" into (Chinese, English) pairs."""
    words = []
    for part in text.split(","):
        zh, en = part.strip().split("=")
        words.append((zh, en))
    return tuple(words)


NAMES = pairs(
    "小明=Tom, 小红=Anna, 小刚=Ben, 小丽=Lucy, 小华=Jack, 小芳=Mary, 小军=David, 小燕=Emma, 小强=Peter, "
    "小兰=Kate, "
    "小东=Sam, 小雪=Grace, 小龙=Leo, 小梅=Rose, 小杰=Paul, 小云=Ella, 小亮=Mark, 小琴=Nina, 小波=Bob, "
    "小玲=Linda, "
    "小飞=Frank, 小娟=Helen, 小勇=Simon, 小静=Clara"
)
COLORS = pairs("红色=red, 蓝色=blue, 绿色=green, 黄色=yellow, 白色=white, 黑色=black, 紫色=purple, 粉色=pink")
# The Chinese side carries its measure word: 把|雨伞 is told as 一把红色的雨伞.
THINGS = pairs(
    "把|雨伞=umbrella, 个|书包=schoolbag, 顶|帽子=hat, 个|杯子=cup, 个|气球=balloon, 条|毛巾=towel, "
    "个|箱子=box, "
    "支|钢笔=pen, 条|围巾=scarf, 个|花瓶=vase, 把|椅子=chair, 辆|自行车=bicycle, 条|裙子=skirt, "
    "个|篮子=basket, "
    "盏|台灯=lamp, 个|盘子=plate, 只|风筝=kite, 个|闹钟=clock"
)
PLACES = pairs(
    "公园=park, 学校=school, 图书馆=library, 医院=hospital, 超市=market, 银行=bank, 车站=station, "
    "邮局=post office, "
    "博物馆=museum, 饭店=restaurant, 花园=garden, 海边=beach, 动物园=zoo, 电影院=cinema, 体育馆=gym, "
    "农场=farm"
)
# Category -> members; the members' categories are the "knowledge" of the letter tasks.
CATEGORIES: dict[Pair, tuple[Pair, ...]] = {
    ("水果", "a fruit"): pairs(
        "苹果=apple, 香蕉=banana, 葡萄=grape, 西瓜=watermelon, 桃子=peach, 梨子=pear, 草莓=strawberry, "
        "柠檬=lemon"
    ),
    ("动物", "an animal"): pairs(
        "老虎=tiger, 兔子=rabbit, 猴子=monkey, 大象=elephant, 狮子=lion, 熊猫=panda, 小狗=dog, 小猫=cat"
    ),
    ("家具", "a piece of furniture"): pairs(
        "椅子=chair, 桌子=table, 沙发=sofa, 书架=bookshelf, 衣柜=wardrobe, 床铺=bed"
    ),
    ("交通工具", "a vehicle"): pairs("汽车=car, 火车=train, 飞机=plane, 轮船=ship, 卡车=truck, 公交车=bus"),
    ("衣物", "an item of clothing"): pairs(
        "衬衫=shirt, 外套=coat, 裙子=skirt, 毛衣=sweater, 围巾=scarf, 帽子=hat"
    ),
    ("身体部位", "a part of the body"): pairs(
        "眼睛=eye, 鼻子=nose, 耳朵=ear, 嘴巴=mouth, 手指=finger, 膝盖=knee"
    ),
    ("乐器", "a musical instrument"): pairs(
        "钢琴=piano, 吉他=guitar, 小提琴=violin, 笛子=flute, 大鼓=drum, 喇叭=trumpet"
    ),
}
FRUITS = pairs("苹果=apples, 香蕉=bananas, 桃子=peaches, 梨子=pears, 草莓=strawberries, 柠檬=lemons")
DAYS = pairs(
    "星期一=Monday, 星期二=Tuesday, 星期三=Wednesday, 星期四=Thursday, 星期五=Friday, 星期六=Saturday, "
    "星期日=Sunday"
)
WEATHER = pairs(
    "天气很好=the weather was fine, 下着小雨=a light rain was falling, 风很大=the wind was strong, "
    "天空很蓝=the sky was blue"
)
SIGHTS = pairs("小猫=cats, 小狗=dogs, 兔子=rabbits, 小鸟=birds, 猴子=monkeys, 蝴蝶=butterflies")
NUMBERS = pairs("两=two, 三=three, 四=four, 五=five, 六=six")
ENDINGS = pairs(
    "大家都很高兴=everyone was happy, 他们玩了一个下午=they played all afternoon, 他们拍了很多照片=they "
    "took many photos, "
    "后来他们一起唱歌=later they sang together, 他们认识了新朋友=they made new friends"
)
MEALS = pairs("米饭=rice, 面条=noodles, 饺子=dumplings, 面包=bread, 鱼汤=fish soup, 包子=steamed buns")


def owned(thing: Pair, color: Pair) -> Pair:
    """The noun phrase for one coloured thing, in both languages."""
    measure, noun = thing[0].split("|")
    return f"一{measure}{color[0]}的{noun}", f"a {color[1]} {thing[1]}"
