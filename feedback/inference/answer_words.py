"""What columns are called that hold the answer, in several languages, by how surely the word says so."""

from __future__ import annotations

import re

from trueup.feedback.inference.names import beside, name_words, said_in, vocabulary

EXPLICIT = vocabulary(
    "label, ground truth, target, etiqueta, etichetta, etiquette, rotulo, zielvariable, zielwert, zielgrosse, cible",
    "objetivo, метка, целевая, ラベル, 标签, 標籤, 라벨, doel",
)
# What a person thinks of something: a scale has a good and a bad end.
OPINION = vocabulary(
    "sentiment, polarity, rating, star, stars, csat, nps, ces, satisfaction, satisfied, overall score, review score",
    "bewertung, gesamtbewertung, sterne, sternebewertung, zufriedenheit, zufrieden, stimmung, valoracion",
    "calificacion",
    "puntuacion, estrellas, satisfaccion, sentimiento, avaliacao, classificacao, pontuacao, estrelas, satisfacao",
    "sentimento, valutazione, stelle, soddisfazione, giudizio, punteggio, etoiles, satisfait, appreciation",
    "beoordeling",
    "sterren, waardering, tevredenheid, ocena, hodnoceni, betyg, arvosana, puan, yildiz, stimmungslage, vurdering",
    "оценка, рейтинг, тональность, звезды, оцінка, удовлетворенность, 評価, 評分, 评分, 星级, 满意度, 満足度, 感情",
    "情感",
    "별점, 평점, 만족도, 감성, تقييم, star rating",
)
OUTCOME = vocabulary(
    "churn, churned, fraud, verdict, attrition, survived, returned, defaulted, default payment, loan status, spam",
    "toxic",
    "exited, subscribed, converted, approved, readmitted, machine failure, bankrupt, retourniert, gekundigt",
    "storniert",
    "revenu, devuelto, retourne, fraude, betrug, no show, cancelled booking, is canceled, is cancelled",
    "abwanderung, kundigung, wiederaufnahme, storno, retoure, rucksendung, desercion, resiliation, impaye, devolucion",
    "отток, возврат, мошенничество, дефолт, 流失, 解約, 解约, 欺诈, 违约, 이탈, reingreso, abandono, churn flag",
    "obscene, insult, threat, identity hate, hate, rul, remaining useful life, return flag",
    "pass fail, anomaly, failure, alarm, авария, storung, ausfall, panne, averia, guasto, litige, reclamo, defekt",
    "falla",
)
GENERAL = vocabulary(
    "diagnosis, intent, score, class, outcome, note, grade, result, choice, answer, feedback, response, evaluation",
    "reaction, mood",
    "urteil",
    "klasse, clase, classe, klass, klasa, ergebnis, resultat, resultado, esito, nota, voto, cijfer, schulnote, avis",
    "класс, результат, スコア, 得点, 分数, 等级, 类别, 分类, 점수, opinion, tonalite, einschatzung, wertung",
)
RECOMMEND = vocabulary(
    "recommend, recommended, voted up, recommendation, recommande, empfehlen, weiterempfehlung, recomienda",
    "recomendaria, recomenda",
    "consiglia, polecam, рекомендую, 推荐, 推薦",
)
JUDGING = OPINION | RECOMMEND | GENERAL - {"class", "klasse", "clase", "classe", "klass", "klasa", "класс", "类别"}
GIVEN = OPINION | RECOMMEND | vocabulary("nota, note, voto, cijfer, schulnote")  # what a person gave beside the answer
# Numbers that are often predicted, and as often known before.
QUANTITY = vocabulary(
    "price, preis, prix, precio, preco, prezzo, cnt, count, sales, umsatz, turnover, revenue, demand, load",
    "consumption",
    "verbrauch, energy, power, kwh, mwh, production, amount, quantity, income, salary, value, cost, verkauf, ventas",
    "consumo, consommation, 売上, 销量, цена, продажи, rentals, visitors, trips, yield, saleprice",
)
WEAK = vocabulary("default, quality, species, variety, income, salary, y, delayed, deposit, status, type")
NPS = vocabulary("nps, recommend, how likely, net promoter, empfehlen, recommander, recomendaria")
GRADES = vocabulary("note, schulnote, grade")  # in German schools 1 is the best
# Beside an answer's word: the column says something about the answer, and is none.
ABOUT_IT = vocabulary(
    "confidence, reason, probability, prob, proba, pred, predicted, prediction, model, id, date, time, at, by, url",
    "link",
    "count, number, num, timestamp, source, version, days, hours, minutes, seconds, comment, text, title, body, age",
    "grund",
    "datum, fecha, data, kommentar, commentaire, comentario, ratio, weight, min, max, sum, std, request, sent",
    "requested",
    "annotator, annotators, agreement, language, key, limit, balance, credit, kredit, content, ctr, size, forecast",
    "vote",
    "votes, like, likes, helpful, useful, weighted",
)
# The same, but it may be the answer where nothing else is.
LESS = vocabulary(
    "name, group, category, gold, average, avg, mean, type, level, bucket, previous, last, prior, expected, original",
    "product, seller, driver, aspect, service, food, room, delivery, item, former, kategorie, durchschnitt, imdb",
)
KNOWN_BEFORE = vocabulary("average, avg, mean, previous, last, prior, former, expected, imdb, credit, durchschnitt")
_TIERS = ((EXPLICIT, 6), (OPINION, 5), (OUTCOME, 5), (GENERAL, 4), (RECOMMEND, 3), (QUANTITY, 2), (WEAK, 2))
_ALONE = {"y": 6, "late": 5, "overall": 5, "gesamt": 5, "ensemble": 5}  # where nothing else stands in the name
_QUESTION_NUMBER = re.compile(r"(?i)q\d+(?:[._]\d+)*")
_WHOSE = vocabulary("ticket, customer, user, client, kunden, kunde, cliente, app")  # their class is a feature
_ONLY_ALONE = (4, 6)  # "class" beside "ticket" is a feature
_QUESTION = 5  # words: a survey's question
_OPEN = vocabulary("reason, why, comment, grund, warum, pourquoi, razon, motivo, porque, почему")
FILLERS = vocabulary(
    "the, is, has, was, overall, user, customer, review, reviewer, total, final, of, value, given, your, our, gesamt",
    "i",
    "response, true, majority, ticket, survey, app, kunden, general, my, kunde, cliente, client, rate, flag, ind",
    "score",
    "variable, value, encoded, numeric, test, exam, human, manual, correct, actual, truth, und",
)


def answer_tier(name: str) -> int:
    """How surely a name says that its column is the answer: 6 (label) down to 2 (price); 0: it does not."""
    alone = _ALONE.get(" ".join(name_words(name)))
    if alone or _QUESTION_NUMBER.fullmatch(name.strip()):
        return alone or 2
    tier = max((level for known, level in _TIERS if said_in(name, known)), default=0)
    if len(name_words(name)) >= _QUESTION:
        return 0 if said_in(name, _OPEN) else tier
    if not tier or said_in(name, ABOUT_IT):
        return 0
    if said_in(name, LESS):
        return max(0, tier - 3)
    if tier in _ONLY_ALONE and (not answer_alone(name) or said_in(name, _WHOSE)):
        return max((level for known, level in _TIERS if level not in _ONLY_ALONE and said_in(name, known)), default=2)
    return tier


def answer_alone(name: str) -> bool:
    """Whether a name says nothing but that: "overall_rating", not "food rating"."""
    known = frozenset().union(*(words for words, _ in _TIERS))
    return not beside(name, known | FILLERS)
