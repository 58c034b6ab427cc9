"""Reviews in other languages: their encodings, months, marks of decimals and words for good and bad."""

from __future__ import annotations

from datetime import datetime

from tests.init.made_files import Csv, Excel
from tests.init.made_shapes import *

MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ru": "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
}


def _month(day: datetime, language: str) -> str:
    return MONTHS[language].split()[day.month - 1]


@shape("de")
def german_shop(made: Made) -> Shape:
    """A German shop system's export: semicolons, decimal comma, Windows-1252."""
    moods = made.moods()
    return table(
        ident("Bewertungs-Nr", list(range(48211, 48211 + made.rows))),
        time("Datum", made.moments(), "%d.%m.%Y %H:%M", grain="min"),
        loose("Artikel", made.pick(["Wasserkocher Größe M", "Stehlampe weiß", "Bürostuhl"])),
        number("Preis", made.numbers(49, 20, 2, 1)),
        answer("Sterne", made.stars(moods), moods),
        text("Bewertung", made.texts(moods, "de")),
        flag("Verifiziert", made.pick(["ja", "nein"])),
        later("Hilfreich", made.counts(1)),
        file=Csv(delimiter=";", decimal=",", encoding="cp1252"),
    )


@shape("de")
def german_half_stars(made: Made) -> Shape:
    """A German portal's spreadsheet with a line `sep=;`, ratings as 4,5."""
    moods = made.moods()
    return table(
        time("Erstellt am", made.moments(order=-1), "%d.%m.%y", grain="D"),
        answer("Note", made.by(moods, [1.0, 1.5, 2.0], [3.0], [4.0, 4.5, 5.0]), moods),
        text("Kommentar", made.texts(moods, "de")),
        category("Filiale", made.pick(["München", "Köln", "Düsseldorf"])),
        number("Bestellwert", made.numbers(80, 30, 2, 1)),
        file=Csv(delimiter=";", decimal=",", encoding="utf-8-sig", title=("sep=;",)),
        free="answer",
    )


@shape("fr")
def allocine(made: Made) -> Shape:
    """Allociné: "Publiée le 3 mai 2024", half stars with a comma."""
    moods = made.moods()
    return table(
        loose("film", made.pick(["Le Cercle", "Été", "La Fuite"])),
        person("pseudo", made.people()),
        time("date_publication", made.moments(order=-1), lambda d: f"Publiée le {d.day} {_month(d, 'fr')} {d.year}", grain="D"),
        answer("note", made.by(moods, ["0,5", "1,0", "2,0"], ["3,0"], ["4,0", "4,5", "5,0"]), moods),
        text("critique", made.texts(moods, "fr")),
        later("utile", made.counts(1)),
        file=Csv(delimiter="\t", encoding="utf-8", ending=".tsv"),
    )


@shape("fr")
def french_survey_of_shop(made: Made) -> Shape:
    """Avis Vérifiés: days first, ISO-8859-15 with accents, "Oui" and "Non"."""
    moods = made.moods()
    return table(
        ident("id_avis", made.uuids()),
        time("date_avis", made.moments(), "%d/%m/%Y %H:%M:%S"),
        stamp("date_commande", [datetime(2023, 1, 3)] * made.rows, "%d/%m/%Y").but(kinds="time|constant"),
        answer("note", made.stars(moods), moods),
        text("avis", made.texts(moods, "fr")),
        later("réponse", made.gaps(["Merci pour votre retour"] * made.rows, 0.5), "text|constant|category"),
        flag("recommandé", made.by(moods, ["Non"], ["Oui", "Non"], ["Oui"])).but("categorical|slices|left out|numeric"),
        file=Csv(delimiter=";", encoding="iso-8859-15"),
    )


@shape("es")
def mercado_libre_es(made: Made) -> Shape:
    """Mercado Libre by a scraper: ★ for stars, "3 de mayo de 2024"."""
    moods = made.moods()
    return table(
        loose("producto", made.pick(["Licuadora", "Teléfono", "Cafetera"])),
        answer("calificación", ["★" * s + "☆" * (5 - s) for s in made.stars(moods)], moods),
        time("fecha", made.moments(order=-1), lambda d: f"{d.day} de {_month(d, 'es')} de {d.year}", grain="D"),
        text("opinión", made.texts(moods, "es")),
        later("me_gusta", made.counts(1)),
    )


@shape("es")
def spanish_excel(made: Made) -> Shape:
    """A Spanish help desk's workbook: typed dates, the answer in words."""
    moods, at = made.moods(mid=0.1), made.moments()
    return table(
        ident("Nº de caso", [f"C-{k:06d}" for k in range(made.rows)]),
        time("Fecha de creación", at, None),
        text("Comentario", made.texts(moods, "es")),
        answer("Satisfacción", made.by(moods, ["Muy insatisfecho", "Insatisfecho"], ["Neutral"], ["Satisfecho", "Muy satisfecho"]), moods),
        category("Canal", made.pick(["Teléfono", "Correo", "Chat"])),
        stamp("Fecha de resolución", made.later(at), None),
        file=Excel(),
    )


@shape("pt")
def olist(made: Made) -> Shape:
    """Olist's order reviews (Brazil): the day that the survey went out, and the moment of its answer."""
    moods, at = made.moods(), [d.replace(hour=0, minute=0, second=0) for d in made.moments("2017-05-02", 400, order=0)]
    answered = made.later(at, 1, 4)
    return table(
        ident("review_id", made.hexes(32)), key("order_id", made.hexes(32)).but("left out|id"),
        answer("review_score", made.stars(moods), moods),
        title("review_comment_title", made.gaps(made.pick(["recomendo", "ótimo", "não chegou"]), 0.88)),
        text("review_comment_message", made.gaps(made.texts(moods, "pt"), 0.4)),
        time("review_creation_date", at).but("time|left out"),
        time("review_answer_timestamp", [d for d in answered if d]).but("time|arrived|left out"),
    )  # fmt: skip


@shape("pt")
def b2w(made: Made) -> Shape:
    """B2W's reviews (Brazil): a recommendation beside the rating, birth years, semicolons."""
    moods = made.moods()
    return table(
        time("submission_date", made.moments("2018-01-01", 150), "%Y-%m-%d %H:%M:%S"),
        key("reviewer_id", made.hexes(64)), key("product_id", made.pick([str(k) for k in range(132444050, 132444080)])),
        loose("product_name", made.pick(["Notebook Asus", "Copo Acrílico", "Panela Elétrica"])),
        category("site_category_lv1", made.pick(["Informática", "Casa", "Brinquedos"])),
        title("review_title", made.texts(moods, "pt", (1, 4))),
        answer("overall_rating", made.stars(moods), moods),
        later("recommend_to_a_friend", made.by(moods, ["No"], ["Yes", "No"], ["Yes"])),
        text("review_text", made.texts(moods, "pt")),
        loose("reviewer_birth_year", made.gaps(made.whole(1945, 2003), 0.1), "number|category|time"),
        category("reviewer_gender", made.gaps(made.pick(["M", "F"]), 0.1)),
        file=Csv(delimiter=";"),
    )  # fmt: skip


@shape("ru")
def ozon(made: Made) -> Shape:
    """Ozon's seller cabinet: Windows-1251, semicolons, the seller's answer."""
    moods, at = made.moods(), made.moments(order=-1)
    return table(
        ident("ID отзыва", made.uuids()),
        key("Артикул", made.pick([f"{k:09d}" for k in range(4711, 4731)])).but("left out|slices|categorical"),
        loose("Название товара", made.pick(["Чайник", "Утюг", "Лампа настольная"])),
        time("Дата публикации", at, "%d.%m.%Y %H:%M", grain="min"),
        answer("Оценка", made.stars(moods), moods),
        text("Текст отзыва", made.texts(moods, "ru")),
        later("Ответ продавца", made.gaps(["Спасибо за отзыв"] * made.rows, 0.5), "text|constant|category"),
        stamp("Дата ответа", made.later(at, 0.5), "%d.%m.%Y %H:%M"),
        file=Csv(delimiter=";", encoding="cp1251"),
    )


@shape("ru")
def russian_bank_reviews(made: Made) -> Shape:
    """banki.ru by a scraper: "3 мая 2024", grades, words for the state."""
    moods = made.moods()
    return table(
        category("банк", made.pick(["Альфа", "Сбер", "ВТБ"])),
        time("дата", made.moments(order=0), lambda d: f"{d.day} {_month(d, 'ru')} {d.year}", grain="D"),
        title("заголовок", made.texts(moods, "ru", (1, 4))),
        text("отзыв", made.texts(moods, "ru")),
        answer("оценка", made.stars(moods), moods),
        later("комментариев", made.counts(1)),
        file=Csv(encoding="utf-16-le", ending=".csv"),
    )


@shape("zh")
def douban(made: Made) -> Shape:
    """Douban's short comments: GB18030, the five words of its stars, days with 年 月 日."""
    moods = made.moods()
    return table(
        person("用户", made.people()),
        answer("评分", made.by(moods, ["很差", "较差"], ["还行"], ["推荐", "力荐"]), moods),
        time("评论时间", made.moments("2018-01-05", 90, order=0), "%Y年%m月%d日", grain="D"),
        text("短评", made.texts(moods, "zh")),
        later("有用数", made.counts(4)),
        file=Csv(encoding="gb18030"),
        free="format",
    )


@shape("ja")
def rakuten(made: Made) -> Shape:
    """Rakuten's reviews of a shop: tabs, Shift-JIS, stars of five."""
    moods = made.moods()
    return table(
        time("投稿日時", made.moments(), "%Y/%m/%d %H:%M:%S"),
        key("商品ID", made.pick([f"item-{k:05d}" for k in range(30)])).but("left out|slices|categorical"),
        loose("商品名", made.pick(["やかん", "座布団", "傘"])),
        answer("評価", made.stars(moods), moods),
        title("レビュータイトル", made.texts(moods, "ja", (1, 3))),
        text("レビュー本文", made.texts(moods, "ja")),
        later("参考になった", made.counts(1)),
        file=Csv(delimiter="\t", encoding="cp932", ending=".tsv"),
        free="format",
    )


@shape("ko")
def naver_movies(made: Made) -> Shape:
    """Naver's sentiment corpus of films: tabs, 0 and 1, no time."""
    moods = made.moods(low=0.5, mid=0)
    return table(
        ident("id", [str(9_976_970 + 17 * k) for k in range(made.rows)]),
        text("document", made.texts(moods, "ko")),
        answer("label", [int(m == HIGH) for m in moods], moods),
        file=Csv(delimiter="\t", ending=".txt"),
        asks="time",
    )


@shape("it")
def italian_portal(made: Made) -> Shape:
    """An Italian portal: thumbs, a total at the end, MacRoman's lone carriage returns."""
    moods = made.moods(mid=0)
    return table(
        time("Data", made.moments(), "%d-%m-%Y", grain="D"),
        text("Recensione", [t.replace("\n", " ") for t in made.texts(moods, "it")]),
        answer("Giudizio", ["👍" if m == HIGH else "👎" for m in moods], moods),
        number("Spesa", made.numbers(40, 10, 2, 1)),
        leak("Esito", ["positivo" if m == HIGH else "negativo" for m in moods]).but("left out|label"),
        constant("Paese", "IT"), empty("Note interne"),
        file=Csv(delimiter=";", decimal=",", end="\r", footer=(f"Totale;{made.rows};;;;;",)),
        extra=1, free="answer",
    )  # fmt: skip


