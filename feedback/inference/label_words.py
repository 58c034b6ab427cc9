"""Words that labels are written with, in several languages: good and bad, yes and no, and states that are no label."""

from __future__ import annotations

from trueup.feedback.inference.names import vocabulary
from trueup.feedback.values import folded

BAD = vocabulary(
    "negative, neg, bad, very bad, poor, terrible, awful, dissatisfied, very dissatisfied, unsatisfied, unhappy",
    "dislike",
    "disliked, thumbs down, down, detractor, not recommended, worst, hate, disagree, strongly disagree",
    "strongly dislike",
    "negativ, schlecht, sehr schlecht, mangelhaft, unzufrieden, sehr unzufrieden, eher unzufrieden, negatif",
    "negative",
    "mauvais, tres mauvais, insatisfait, mecontent, tres insatisfait, negativo, negativa, malo, mala, muy malo",
    "pesimo",
    "insatisfecho, muy insatisfecho, ruim, pessimo, insatisfeito, cattivo, insoddisfatto, slecht, ontevreden",
    "negatief",
    "zly, negatywny, negatywna, spatny, negativni, dalig, negativt, darlig, kotu, olumsuz, негативный, отрицательный",
    "негатив, плохо, плохой, 差评, 负面, 消极, 很差, 较差, 悪い, 否定, ネガティブ, 不満, 부정, 나쁨, سلبي, 👎, 😞",
    "😡, 🙁, ☹, 😠",
)
GOOD = vocabulary(
    "positive, pos, good, very good, great, excellent, satisfied, very satisfied, happy, like, liked, love",
    "thumbs up, up",
    "promoter, recommended, best, agree, strongly agree, positiv, gut, sehr gut, zufrieden, sehr zufrieden",
    "eher zufrieden, positif, bon, tres bon, bien, satisfait, tres satisfait, content, positivo, positiva, bueno",
    "buena",
    "muy bueno, excelente, satisfecho, muy satisfecho, bom, otimo, satisfeito, buono, ottimo, soddisfatto, goed",
    "tevreden",
    "positief, dobry, pozytywny, pozytywna, pozitivni, bra, positivt, god, iyi, olumlu, позитивный, положительный",
    "позитив, хорошо, хороший, отлично, 好评, 正面, 积极, 推荐, 力荐, 良い, 肯定, ポジティブ, 満足, 긍정, 좋음",
    "إيجابي, 👍, 😀, 😊, 🙂, 😍",
)
NEUTRAL = vocabulary(
    "neutral, neu, mixed, ok, okay, average, fair, indifferent, passive, neither satisfied nor dissatisfied, neither",
    "teils teils, teils, neutre, moyen, neutro, neutrale, neutraal, neutralny, neutralni, нейтральный, нейтрально",
    "нейтрал",
    "中评, 中性, 中立, 还行, 普通, どちらでもない, ニュートラル, 중립, 보통, محايد, 😐",
)
NO = vocabulary("no, n, false, f, nein, non, nao, nee, nie, ne, nej, hayir, нет, 否, いいえ, 아니요, لا, not, none")
YES = vocabulary("yes, y, true, t, ja, j, oui, si, sim, tak, ano, evet, да, 是, はい, 예, نعم")
# Two ways of writing one label.
SHORT = {"neg": "negative", "pos": "positive", "neu": "neutral", "n": "no", "y": "yes", "f": "false", "t": "true",
         "j": "ja"}  # fmt: skip
# Of two such values or more a column says by itself what somebody thinks.
VERDICTS = vocabulary(
    "positive, negative, neutral, pos, neg, positiv, negativ, positif, negatif, neutre, positivo, negativo, neutro",
    "positiva",
    "negativa, positief, negatief, neutraal, позитивный, негативный, нейтральный, положительный, отрицательный, ham",
    "spam",
    "正面, 负面, 积极, 消极, ポジティブ, ネガティブ, 긍정, 부정, 👍, 👎",
)
# Not rated yet, or never will be: no label, whatever else the column holds.
NOT_YET = vocabulary("offered, pending, not rated yet, not yet rated, awaiting, requested, ausstehend, en attente")
NEVER = vocabulary(
    "unoffered, not offered, cancelled, canceled, was cancelled, skipped, skip, unrated, not rated, no rating",
    "unlabeled",
    "unlabelled, no label, no response, expired, ignored, ignore, unbewertet, nicht bewertet, ohne bewertung",
    "sin calificar",
    "non evalue, sem avaliacao, без оценки, unable to rate, prefer not to say, not applicable, don't know, dont know",
)
MARKS = vocabulary("nd, n/d, nodata, na, n/a, #n/a, null, nan, <na>, ?, -, --, n.a., k.a., missing, (blank), nil")


def side(value: str) -> int:
    """Which end of a scale a word names: -1 bad or no, 1 good or yes, 0 neither."""
    said = _bare(value)
    if said in BAD or said in NO:
        return -1
    return 1 if said in GOOD or said in YES else 0


def judges(value: str) -> bool:
    """Whether a word says what somebody thinks: good, bad, or neither."""
    return _bare(value) in BAD | NEUTRAL | GOOD


def _bare(value: str) -> str:
    return next(iter(vocabulary(folded(value).replace(",", " "))), "")
