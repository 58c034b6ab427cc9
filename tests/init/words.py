"""Words of opinions in several languages: plain ones, good ones, bad ones, and what stands between them."""

from __future__ import annotations

from collections.abc import Sequence

_SAID = {
    "en": (
        "the a it was for with and this after week bought used arrived store staff hotel app phone update battery",
        "great excellent love perfect amazing helpful fast reliable happy recommend",
        "terrible broken awful refund waste slow crashes useless disappointed never",
    ),
    "de": (
        "die der und ich habe das mit nach für gekauft Gerät Lieferung Verkäufer Größe Straße Woche wieder über Preis",
        "großartig super schön schnell zuverlässig begeistert empfehlenswert günstig",
        "schlecht kaputt enttäuscht langsam ungenügend Rückgabe ärgerlich mangelhaft",
    ),
    "fr": (
        "le la film est une avec très après même acteur scène histoire été réalisateur où déjà ça",
        "génial magnifique excellent émouvant drôle superbe réussi",
        "décevant ennuyeux raté médiocre nul pénible gâché",
    ),
    "es": (
        "el la producto con una para después años compré llegó tamaño envío señal mañana",
        "excelente buenísimo fácil rápido recomendado útil",
        "malo pésimo roto decepción nunca engaño inútil",
    ),
    "pt": (
        "o a produto com uma para depois comprei chegou entrega loja não é então preço",
        "ótimo excelente rápido recomendo maravilhoso útil",
        "péssimo ruim quebrado demorou decepção horrível nunca",
    ),
    "ru": (
        "и в на товар я после заказ пришёл размер магазин доставка неделя цвет очень",
        "отлично прекрасно рекомендую быстро качественно доволен",
        "ужасно брак плохо сломался возврат разочарован",
    ),
    "it": (
        "il la prodotto con una per dopo comprato arrivato spedizione però più",
        "ottimo perfetto veloce consigliato bellissimo",
        "pessimo rotto lento deluso inutile",
    ),
    "ko": (
        "영화 정말 배우 이야기 장면 음악 그리고 보고 연기 감독",
        "최고 재미있다 감동 추천 좋아요",
        "최악 지루하다 실망 별로 아깝다",
    ),
    "zh": (
        "电影 这部 故事 演员 导演 剧情 音乐 看完 之后 镜头 我们",
        "精彩 感人 推荐 好看 完美 惊喜",
        "失望 无聊 烂片 难看 浪费 尴尬",
    ),
    "ja": (
        "この 商品 は とても 届いた 使って サイズ 色 です 注文 発送",
        "最高 満足 良い 便利 早い 嬉しい",
        "残念 壊れた 最悪 悪い 遅い 不良",
    ),
}  # fmt: skip
_UNSPACED = {"zh", "ja"}

Opinions = tuple[Sequence[str], Sequence[str], Sequence[str], str]  # plain, good, bad, what stands between words
OPINIONS: dict[str, Opinions] = {
    language: (plain.split(), good.split(), bad.split(), "" if language in _UNSPACED else " ")
    for language, (plain, good, bad) in _SAID.items()
}
