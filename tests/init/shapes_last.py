"""Shapes that were made before anyone had looked at a score: how right init is on what nobody thought of."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.init.made_files import Csv, Excel, HtmlTable, Json, Parquet
from tests.init.made_shapes import *


def _midnights(made: Made, start: str, days: int, order: int = 1) -> list[datetime]:
    return [m.replace(hour=0, minute=0, second=0) for m in made.moments(start, days, order)]


@shape()
def drug_reviews(made: Made) -> Shape:
    """UCI's drug reviews: tabs, an index without a name, days as 20-May-12, ratings from 1.0 to 10.0."""
    moods = made.moods()
    return table(
        later("", [206_461 + 7 * k for k in range(made.rows)], "id|code|number").but("left out|id"), loose("drugName", made.pick(["Valsartan", "Guanfacine", "Lybrel"])), loose("condition", made.pick(["ADHD", "Birth Control", "Acne"])),
        text("review", [f'"{t}"' for t in made.texts(moods)]), answer("rating", [float(r) for r in made.by(moods, [1, 2, 3], [5, 6], [8, 9, 10])], moods),
        time("date", _midnights(made, "2012-05-01", 900, 0), "%d-%b-%y", grain="D"), later("usefulCount", made.counts(20)),
        file=Csv(delimiter="\t", ending=".tsv"), also={"": "Unnamed: 0"}, free="answer",
    )  # fmt: skip


@shape()
def kickstarter(made: Made) -> Shape:
    """Kickstarter projects: epoch seconds three times, states that are no outcome, money pledged later."""
    moods, at = made.moods(low=0.5, mid=0), made.moments("2017-01-05", 400)
    states = [("successful" if m == HIGH else "failed") if made.dice.random() < 0.85 else "live" for m in moods]
    return table(
        ident("id", [1_000_003 * (k + 5) for k in range(made.rows)]), text("blurb", made.texts([MID] * made.rows)), number("goal", [500.0 * k for k in made.whole(1, 80)]), category("country", made.pick(["US", "GB", "NL"])),
        category("currency", made.pick(["USD", "GBP", "EUR"])), time("launched_at", at, "epoch s").but("time|left out"), time("created_at", [a - timedelta(days=9) for a in at], "epoch s").but("time|left out"), stamp("deadline", [a + timedelta(days=30) for a in at], "epoch s"),
        later("pledged", made.risen(made.numbers(900, 300, 2, 0), states, "successful", 9000)).but("left out|numeric"), later("backers_count", made.counts(40)).but("left out|numeric"),
        answer("state", states, [MID if s == "live" else m for s, m in zip(states, moods, strict=True)]), free="answer|time",
    )  # fmt: skip


@shape()
def flight_delays(made: Made) -> Shape:
    """US flights of a month: times of the day as 0905, a delay in minutes, carriers and tail numbers."""
    days = _midnights(made, "2023-01-01", 31)
    return table(
        time("FL_DATE", days, lambda d: f"{d.month}/{d.day}/{d.year} 12:00:00 AM", grain="D"), category("OP_CARRIER", made.pick(["AA", "DL", "WN"])), key("TAIL_NUM", [f"N{k}NN" for k in made.whole(100, 990)]).but("left out|slices|categorical"),
        category("ORIGIN", made.pick(["JFK", "LAX", "ORD"])), category("DEST", made.pick(["SFO", "BOS", "MIA"])), loose("CRS_DEP_TIME", [f"{h:02d}{m:02d}" for h, m in zip(made.whole(5, 23), made.whole(0, 60), strict=True)], "code|number|time|category"),
        number("DISTANCE", [float(k) for k in made.whole(200, 2700)]), target("ARR_DELAY", [float(k) for k in made.whole(-30, 120)]), free="answer",
    )  # fmt: skip


@shape()
def beijing_air(made: Made) -> Shape:
    """UCI's Beijing air: year, month, day and hour in four columns, NA where a value is missing."""
    at = made.steady("2013-03-01", 60)
    return table(
        ident("No", list(range(1, made.rows + 1))).but("id|left out", "id|number|code"), time("year", at, lambda a: a.year), time("month", at, lambda a: a.month), time("day", at, lambda a: a.day), time("hour", at, lambda a: a.hour).but("time|numeric|categorical|slices", "time|number|category"),
        target("PM2.5", made.gaps([float(k) for k in made.whole(3, 300)], 0.05, "NA")).but("label|numeric"), number("TEMP", made.waves(3, 5, 1, digits=1)), number("PRES", made.numbers(1020, 5, 1)),
        category("wd", made.gaps(made.pick(["NNW", "N", "SE"]), 0.03, "NA")), number("WSPM", made.numbers(2, 0.8, 1, 0)), constant("station", "Aotizhongxin"), moments=at, free="answer|missing|time",
    )  # fmt: skip


@shape("fr")
def french_energy(made: Made) -> Shape:
    """RTE's éCO2mix: an "Excel" file that is text with tabs in ISO-8859-1, quarter hours of which half are ND, a footer."""
    at = made.steady("2023-05-02", 30)
    return table(
        constant("Périmètre", "France"), constant("Nature", "Données temps réel"), time("Date", at, "%Y-%m-%d"), time("Heures", at, "%H:%M"),
        target("Consommation", made.waves(48_000, 6000, 700, 48, 0)).but("label|numeric"), number("Prévision J-1", made.waves(48_000, 6000, 900, 48, 0)).but("numeric|label|left out"), number("Éolien", made.gaps([float(k) for k in made.whole(900, 9000)], 0.1, "ND")).but("numeric|label|categorical|left out"),
        file=Csv(delimiter="\t", encoding="iso-8859-1", ending=".xls", footer=("RTE ne pourra être tenu responsable de l'usage qui sera fait des données mises à disposition.",)), moments=at, free="answer|missing|time", extra=1,
    )  # fmt: skip


@shape()
def wine(made: Made) -> Shape:
    """UCI's wine quality: semicolons under .csv, a grade in the last place, no time."""
    return table(
        *(number(n, made.numbers(level, level / 5, 3, 0.001)) for n, level in (("fixed acidity", 7.0), ("volatile acidity", 0.5), ("residual sugar", 5.0), ("density", 0.99), ("alcohol", 10.4))),
        ordinal("quality", made.whole(3, 9)).but("label|numeric|categorical"), file=Csv(delimiter=";", quoting=2), asks="time", free="answer",
    )  # fmt: skip


@shape()
def service_requests(made: Made) -> Shape:
    """New York's 311 requests: 12-hour times, a closing date that begins before the end, ZIP codes, places."""
    at = made.moments("2023-05-01", 25, -1)
    spelling = "%m/%d/%Y %I:%M:%S %p"
    return table(
        ident("Unique Key", [57_000_000 - 13 * k for k in range(made.rows)]), time("Created Date", at, spelling), stamp("Closed Date", made.later(at, 0.8), spelling), category("Agency", made.pick(["NYPD", "DSNY", "HPD"])),
        category("Complaint Type", made.pick(["Noise", "Heat", "Parking"])).but("categorical|slices|label"), loose("Incident Zip", [f"{k:05d}" for k in made.whole(10_001, 11_697)], "code|category|number|id").but("left out|slices|categorical"), later("Status", made.pick(["Closed", "Open"], [0.9, 0.1]), "category").but("left out|label"),
        later("Resolution Description", made.pick(["The Police Department responded and fixed it.", "No violation was found."]), "text|category"), ordinal("Latitude", made.numbers(40.7, 0.1, 6)).but("numeric|left out", "number"), asks="answer",
    )  # fmt: skip


@shape("zh")
def taobao_workbook(made: Made) -> Shape:
    """A Chinese shop's workbook: 好评, 中评, 差评, times as text, order numbers of 19 digits as text."""
    moods, at = made.moods(), made.moments()
    return table(
        ident("订单编号", [f"17{k:017d}" for k in made.rng.permutation(made.rows)]), time("评价时间", at, "%Y-%m-%d %H:%M:%S"), loose("商品名称", made.pick(["茶壶", "台灯", "雨伞"])),
        answer("评价等级", made.by(moods, ["差评"], ["中评"], ["好评"]), moods), text("评价内容", made.texts(moods, "zh")), later("商家回复", made.gaps(["谢谢惠顾"] * made.rows, 0.5), "text|constant|category"), file=Excel(sheet="评价"), free="answer",
    )  # fmt: skip


@shape("de")
def patients_parquet(made: Made) -> Shape:
    """A clinic's Parquet file: typed times and booleans, a score of no use before discharge."""
    at = made.moments()
    again = [bool(x) for x in made.pick([0, 1], [0.7, 0.3])]
    return table(
        ident("fall_id", [10_000 + 3 * k for k in range(made.rows)]), time("aufnahme", at, None), stamp("entlassung", [a + timedelta(days=4) for a in at], None), number("alter", made.whole(18, 95)), number("crp", made.risen(made.numbers(20, 6, 1, 0), again, True, 8)),
        category("station", made.pick(["Innere", "Chirurgie"])), flag("privat", [bool(x) for x in made.whole(0, 2)]), answer("wiederaufnahme", again, again), file=Parquet(), free="answer",
    )  # fmt: skip


@shape("pt")
def complaints_pt(made: Made) -> Shape:
    """consumidor.gov.br: semicolons, days first, the consumer's mark from 1 to 5 beside whether it was solved."""
    moods, at = made.moods(), _midnights(made, "2023-01-05", 60)
    return table(
        category("Região", made.pick(["SE", "S", "NE"])), category("UF", made.pick(["SP", "RJ", "BA"])), category("Sexo", made.pick(["M", "F", "O"])), time("Data Abertura", at, "%d/%m/%Y", grain="D"), stamp("Data Resposta", made.later(at, 0.95, 9), "%d/%m/%Y"), stamp("Data Finalização", made.later(at, 1, 20), "%d/%m/%Y"),
        loose("Nome Fantasia", made.pick(["Claro", "Vivo", "Nubank"])), category("Problema", made.pick(["Cobrança indevida", "Não entrega", "SAC"])), later("Avaliação Reclamação", made.by(moods, ["Não Resolvida"], ["Resolvida", "Não Resolvida"], ["Resolvida"]), "category").but("left out|label|categorical"),
        answer("Nota do Consumidor", (said := made.gaps(made.stars(moods), 0.3)), [None if s is None else m for s, m in zip(said, moods, strict=True)]).but("label|left out"), file=Csv(delimiter=";", encoding="cp1252"), free="format|answer",
    )  # fmt: skip


@shape()
def support_calls_console(made: Made) -> Shape:
    """A telephone console's UTF-16 export with tabs: durations as 00:03:12, a caller's number, a score of five."""
    moods, at = made.moods(), made.moments(days=60)
    stars = made.gaps(made.stars(moods), 0.5)
    return table(
        time("Call Start", at, "%m/%d/%Y %H:%M:%S"), loose("Duration", [f"00:{m:02d}:{s:02d}" for m, s in zip(made.whole(0, 30), made.whole(0, 60), strict=True)], "time|code|category|number|text").but("left out"), person("Caller", [f"+49170{k:07d}" for k in made.whole(0, 10**7)]).but(kinds="id|code|number"),
        category("Queue", made.pick(["Sales", "Support"])), answer("Rating", stars, [None if s is None else m for s, m in zip(stars, moods, strict=True)]), text("Transcript", made.texts(moods, words=(9, 25))), file=Csv(delimiter="\t", encoding="utf-16", ending=".txt"), 
    )  # fmt: skip


@shape("ru")
def vk_comments(made: Made) -> Shape:
    """Comments under posts as a JSON list under response.items: epoch seconds, likes nested, a moderator's class."""
    moods = made.moods()
    return table(
        ident("id", list(range(90_001, 90_001 + made.rows))), person("from_id", made.whole(10**6, 10**8)).but("left out|slices", "id|code|number"), time("date", made.moments(days=90), "epoch s"), text("text", made.texts(moods, "ru")),
        later("likes.count", made.counts(3)), answer("тональность", made.by(moods, ["негативная"], ["нейтральная"], ["позитивная"]), moods), file=Json(path="response.items", beside=(("count", 360),)),
    )  # fmt: skip


@shape()
def page_table(made: Made) -> Shape:
    """A school's "Excel" page of essays: grades A to F, ISO days, a name in each row."""
    moods = made.moods(mid=0.2)
    return table(
        time("Handed in", _midnights(made, "2023-02-01", 120), "%Y-%m-%d", grain="D"), person("Pupil", made.people()), text("Essay", [t.replace("\n", " ") for t in made.texts(moods, words=(8, 20))]),
        answer("Grade", made.by(moods, ["E", "F"], ["C", "D"], ["A", "B"]), [MID] * made.rows), file=HtmlTable(), free="answer",
    )  # fmt: skip


@shape()
def mongo_feedback(made: Made) -> Shape:
    """mongoexport's JSON Lines: times under $date, ids under $oid, a verdict nested."""
    moods, at = made.moods(mid=0), made.moments()
    return table(
        ident("_id.$oid", made.hexes(24)), time("createdAt.$date", at, "%Y-%m-%dT%H:%M:%S.417Z"), stamp("updatedAt.$date", made.later(at), "%Y-%m-%dT%H:%M:%S.417Z"), category("app.platform", made.pick(["ios", "android"])), version("app.version", made.pick(["3.9", "3.10", "3.10.1"])),
        text("message", made.texts(moods)), answer("rating.verdict", ["up" if m == HIGH else "down" for m in moods], moods), flag("__v", [0] * made.rows).but("left out", "constant|number"), file=Json(lines=True), free="answer",
    )  # fmt: skip


@shape()
def tweets_without_header(made: Made) -> Shape:
    """Sentiment140: six columns without a header, times of the west coast; without names nothing is sure."""
    moods = made.moods(low=0.5, mid=0)
    return table(
        answer("", [4 if m == HIGH else 0 for m in moods], moods).but("label|left out"), ident("", [1_467_810_369 + 31 * k for k in range(made.rows)]).but("id|left out"), time("", made.moments("2009-04-06", 60), "%a %b %d %H:%M:%S PDT %Y").but("time|left out"),
        constant("", "NO_QUERY"), person("", [f"user_{h}" for h in made.hexes(5)]), text("", made.texts(moods)), file=Csv(header=False, quoting=1), asks="format", free="time|answer|id|feature",
    )  # fmt: skip


@shape()
def sms_spam(made: Made) -> Shape:
    """The SMS spam collection as it is passed around: v1 and v2, three empty columns, Windows-1252, no time."""
    moods = made.moods(low=0.3, mid=0)
    return table(
        answer("v1", ["ham" if m == HIGH else "spam" for m in moods], moods), text("v2", [f"{t} £{k % 90}" for k, t in enumerate(made.texts(moods))]), *(empty("") for _ in range(3)), file=Csv(encoding="cp1252"), asks="time", free="answer|format",
    )  # fmt: skip


@shape()
def road_accidents(made: Made) -> Shape:
    """Britain's road accidents: days first, the time of day apart, severities 1 to 3, casualties known with them."""
    at = [m.replace(second=0) for m in made.moments("2019-01-03", 300)]
    severity = made.pick([1, 2, 3], [0.1, 0.25, 0.65])
    return table(
        ident("Accident_Index", [f"2019{k:09d}" for k in range(made.rows)]), ordinal("Longitude", made.numbers(-1.2, 0.6, 6)).but("numeric|left out", "number"), answer("Accident_Severity", severity, severity), later("Number_of_Casualties", [1 + c for c in made.counts(0.5)]).but("left out|numeric|categorical|slices"),
        time("Date", at, "%d/%m/%Y"), ordinal("Day_of_Week", [a.isoweekday() % 7 + 1 for a in at]), time("Time", at, "%H:%M"), ordinal("Speed_limit", made.pick([20, 30, 60])), ordinal("Weather_Conditions", made.pick([1, 2, 8, -1])).but("categorical|slices|numeric", "category|number|code"), moments=at, free="answer|missing",
    )  # fmt: skip


@shape("pl")
def polish_shop(made: Made) -> Shape:
    """A Polish shop's opinions: Windows-1250, semicolons, days first with dots, "polecam" and "nie polecam"."""
    moods = made.moods(mid=0)
    said = {HIGH: "świetny produkt, szybka wysyłka, jestem bardzo zadowolony", LOW: "zły produkt, długo czekałem, zwróciłem następnego dnia"}
    return table(
        ident("Nr opinii", [f"OP/{k}/2023" for k in range(1, made.rows + 1)]), time("Data dodania", made.moments(), "%d.%m.%Y %H:%M", grain="min"), loose("Produkt", made.pick(["Żelazko", "Łóżko", "Czajnik"])), number("Cena", made.numbers(120, 40, 2, 5)),
        text("Treść opinii", [f"{said[m]} {w} {k}" for k, (m, w) in enumerate(zip(moods, made.hexes(4), strict=True))]), answer("Ocena", made.by(moods, [1, 2], [], [4, 5]), moods), later("Odpowiedź sklepu", made.gaps(["Dziękujemy za opinię"] * made.rows, 0.5), "text|constant|category"), file=Csv(delimiter=";", decimal=",", encoding="cp1250"), free="format",
    )  # fmt: skip


@shape("de")
def sap_list(made: Made) -> Shape:
    """A list from SAP: bars, days as 20240503, 1.234,56- for less than nothing, keys with leading zeros, no answer."""
    amounts = made.numbers(0, 2000)
    return table(
        key("Kunde", [f"{k:010d}" for k in made.whole(100, 90_000)]).but("left out", "code|id"), key("Beleg", [f"{k:010d}" for k in range(5_100_000, 5_100_000 + made.rows)]).but("left out|id", "code|id"), time("Buch.dat.", _midnights(made, "2024-01-02", 200), "%Y%m%d", grain="D"),
        category("BA", made.pick(["RV", "DZ", "DG"])), loose("Betrag", [f"{abs(a):,.2f}".translate(str.maketrans(",.", ".,")) + ("-" if a < 0 else "") for a in amounts], "number|text|code|category").but("numeric|left out|label").spelling(amounts), constant("Währg", "EUR"), file=Csv(delimiter="|", decimal=",", encoding="cp1252", ending=".txt"), free="answer|feature|format",
    )  # fmt: skip


@shape()
def grafana(made: Made) -> Shape:
    """A panel of Grafana as CSV: a unit behind each value."""
    return table(
        time("Time", made.steady("2024-05-03", 5)), loose("boiler {room=\"a\"}", [f"{x} °C" for x in made.waves(60, 8, 1)], "number|text|category|code"), number("pump", made.waves(3, 1, 0.1)).but("numeric|label"), file=Csv(encoding="utf-8-sig"), free="answer|feature",
    )  # fmt: skip


@shape()
def salesforce_cases(made: Made) -> Shape:
    """A Salesforce report: times with a comma, quoted all, five lines of a footer."""
    moods, at = made.moods(mid=0), made.moments(order=-1)
    spelling = "%m/%d/%Y, %I:%M %p"
    return table(
        ident("Case Number", [f"{k:08d}" for k in range(4001, 4001 + made.rows)]), time("Date/Time Opened", at, spelling, grain="min"), stamp("Date/Time Closed", made.later(at, 0.9), spelling), later("Age (Hours)", made.numbers(30, 9, 2, 0)), flag("Escalated", made.pick(["0", "1"])).but("left out|categorical|slices|numeric"),
        text("Description", made.texts(moods)), category("Case Reason", made.pick(["Installation", "Performance"])), answer("Customer Sentiment", ["Positive" if m == HIGH else "Negative" for m in moods], moods), file=Csv(quoting=1, footer=('""', '"Cases of this year"', '"Copyright (c) 2000-2024 salesforce.com, inc."')), extra=3, free="answer",
    )  # fmt: skip


@shape()
def airbnb_reviews(made: Made) -> Shape:
    """Inside Airbnb's reviews: a day, a name, comments, and nothing that could be the answer."""
    return table(
        key("listing_id", made.pick([2818, 20168, 25428, 27886])).but("left out|slices|categorical"), ident("id", [1191 + 97 * k for k in range(made.rows)]), time("date", _midnights(made, "2019-03-01", 600), "%Y-%m-%d", grain="D"), person("reviewer_id", made.whole(1000, 10**7)).but("left out|slices", "id|code|number"), person("reviewer_name", made.people()),
        text("comments", [t.replace("\n", "<br/>") for t in made.texts(made.moods())]),
    )  # fmt: skip


@shape("es")
def survey_workbook_es(made: Made) -> Shape:
    """A Spanish survey's workbook: times as text with a. m., a scale of ten and its words beside it."""
    moods = made.moods()
    return table(
        time("Marca temporal", made.moments(), "%d/%m/%Y %H:%M:%S"), category("Provincia", made.pick(["Ávila", "Cádiz", "León"])), answer("¿Recomendaría nuestro servicio? (0 a 10)", made.by(moods, [0, 1, 3, 4], [7, 8], [9, 10]), moods), text("¿Por qué?", made.texts(moods, "es")), file=Excel(sheet="Respuestas"), free="answer",
    )  # fmt: skip
