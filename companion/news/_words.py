"""Short closed lists: words without content of their own, and words that count."""


def _listed(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


FUNCTION = {
    "en": _listed(
        "a an the this that these those it its he she they them their his her him who whom whose",
        "which what when where while as at by for from in into of on onto to with without within",
        "and or but nor so yet if than then that not no be is are was were been being has have had",
        "having will would can could may might must shall should do does did about after against",
        "before behind below between beyond during near off out over since through throughout",
        "under until up upon around across along amid among because although though despite via",
        "also still already only even just more most less least very said says say told",
        ". , ; : ! ? - – — ( )",
    ),
    "zh": frozenset(
        "的了在将和与及或并而但却被把从向对为由于至到等也都还已又再则以因若仅是有其该此"
        "后前中内外里上下时起，。；：、！？（）"
    ),
}
NUMBER_WORDS = _listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety",
    "hundred hundreds thousand thousands million millions billion billions trillion dozen dozens",
    "half halves third thirds quarter quarters fifth fifths sixth seventh eighth ninth tenth",
    "tenths first second fourth once twice double doubled triple tripled couple pair both",
)
NUMERALS = frozenset("〇零一二两三四五六七八九十百千万亿半几俩仨双壹贰叁肆伍陆柒捌玖拾佰仟")
