"""What columns are called that no model may learn from, in several languages, and what others are called."""

from __future__ import annotations

import re

from trueup.feedback.inference.answer_words import FILLERS
from trueup.feedback.inference.names import beside, name_words, said_in, vocabulary

# Counts and states that come to be after the record: they know the future of what is to be predicted.
_LATE = vocabulary(
    "vote, votes, voted, upvote, downvote, likes, dislikes, like count, thumbs up, thumbs down, helpful, helpfulness",
    "found helpful, useful, funny, cool, kudos, claps, reposts, retweet, shares, favorite count, favourites",
    "favorites",
    "reply, replies, replied, answered, responded, resolved, resolution, solved, solution, closed, closure, reopen",
    "reopened, reopens, handling, handled, escalated, escalation, refunded, chargeback, recovery, recoveries",
    "collections",
    "first response, full resolution, developer response, owner response, owner answer, company response",
    "business response",
    "seller response, public response, management response, response time, reply time, wait time, hilfreich, antwort",
    "reponse, repondu, utile, utiles, resolu, respuesta, respondido, resuelto, util, me gusta, resposta, curtidas",
    "risposta, risolto, antwoord, opgelost, ответ, ответа, полезно, полезный, решено, лайки, комментариев, ответов",
    "有用, 参考になった, 点赞, 回复, 返信, いいね, 赞同, 공감, 비공감, 추천수, 답글, cierre, last payment",
    "total payment, pymnt",
    "total rec, playtime forever, last pymnt, comment count, comments count, num comments, reply count, handle time",
    "satisfaction comment, suka, disukai, begeni, begeniler, gefallt mir, jaime, polubienia, mi piace",
    "response from, reply from, losungszeit, loesungszeit, bearbeitungszeit, antwortzeit, reaktionszeit",
    "hours to close",
    "age hours, age minutes, age days, case age, ticket age, close notes, close code, closing notes",
    "corrective action",
    "developer reply, reactions, upvotes, ups, downs, gelost, erledigt, bearbeitet, bearbeitung, loesung",
    "geschlossen",
)
# The same, where the column is a count.
_LATE_COUNTS = vocabulary("comment, interaction, reassignment, touch, reopen, reply, message, view, share, feedback")
_STATE = vocabulary("status, state, stage, zustand, estado, statut, stato, статус, 状态, ステータス")
_OF_THE_RECORD = vocabulary(
    "ticket, order, case, request, issue, review, record, current, final, task, claim, incident, delivery, shipment",
    "report",
    "conversation, moderation, publish, reservation, booking, shipping, approval, comment, of, the, resolution",
    "auftrag, vorgang, fall, response",
    "latest",
)
# Words beside which a late word still means a count of it, and not a taste or a kind.
_COUNTING = vocabulary(
    "count, counts, number, num, n, no, nb, total, of, the, is, was, has, at, on, by, date, time, score, review",
    "reviews",
    "comment, comments, user, users, up, down, people, this, found, developer, owner, company, text, body, content",
    "as",
    "numerator, denominator, ratio, weighted, hours, minutes, days, seconds, first, full, last, business, metric",
    "average",
    "datum, anzahl, nombre, numero, votes, vote, hilfreich, fecha, data, dev, message, agent, seller, public",
    "comentario",
    "продавца, дата, in, within, min, hour, minute, avg, mean, positive, negative, feedback, thumbs, reply, replies",
    "issue",
    "description, notes, note, details, summary, action, category, group, team, temps, de, zeit, bis, delai, tiempo",
    "tempo, di, time, until, dauer, duree, del, propietario, vendedor, du, from",
    "proprietaire, vendeur, inhabers, des, to, admin, customer, ticket, case, post, tweet, favorite, like, likes",
    "amount, flag, sum, rate, status, reason",
    "code, type, how",
    "many, 数",
)
# What whoever labelled wrote beside the label.
_LABELLER = vocabulary(
    "annotator, annotators, annotated, annotation, annotations, labeler, labeller, labelled, labeled",
    "prediction, predictions, predicted, agreement, completed by, was cancelled, cancelled annotations",
    "total annotations",
    "total predictions, inter annotator, negativereason, negative reason, gold label, adjudicator, adjudicated",
    "rater",
    "reviewed by, labelling, labeling, model score, model version, confidence score, annotateur, anotador, аннотатор",
)
# What a column beside the answer's own words says of the answer.
_OF_THE_ANSWER = vocabulary(
    "flagged, detected, suspected, severe, rank, percentile, comparison, encoded, num, date, flag, is, description",
    "confidence, reason, reasons, gold, probability, prob, proba, score, pred, prediction, certainty, explanation",
    "source",
    "group, category, bucket, class, label, level, grund, kategorie, raw, original, value, code, numeric",
    "id",
)
_REMARK = vocabulary("comment, comments, remark, remarks, feedback, note, notes, kommentar, commentaire, comentario")
_LEAD = vocabulary("lead time")
_NAMED = vocabulary("text, name, title")
_PERSON = vocabulary(
    "email, e mail, mail, phone, telephone, telefon, telefono, tel, mobile, fax, ip, ip address, username, user name",
    "screen name, nickname, nick, handle, pseudo, pseudonym, surname, first name, last name, firstname, lastname",
    "full name, fullname, given name, family name, vorname, nachname, nom, prenom, apellido, apellidos",
    "nombre completo",
    "author, authors, reviewer, requester, assignee, requestor, submitter, profile name, profilename, reviewername",
    "user handle, twitter handle, login, avatar, display name, displayname, passport, ssn, iban, birthdate",
    "passenger name",
    "street, address, adresse, anschrift, direccion, indirizzo, endereco, strasse, city, town, hometown, ort",
    "wohnort",
    "place of review, user location, userlocation, reviewer location, автор, имя, имя пользователя, телефон, адрес",
    "почта",
    "用户, 用户名, 昵称, 姓名, 电话, 氏名, ユーザー, ニックネーム, 投稿者, 작성자, 닉네임, kunde, kundenname, auteur",
    "autor",
    "autore, auteurs, cliente, client name, customer name, customer, user, patient name, employee name, username",
    "nome",
    "agent, agent name, operator, userimage, user image, sachbearbeiter, bearbeiter, mitarbeiter, empfanger",
    "absender",
)
_PERSONS_OWN = vocabulary(
    "name, of, the, id, image, photo, picture, avatar, url, link, profile, handle, first, last, full, user, customer",
    "no",
    "reviewer, review, author, email, e, mail, address, adresse, phone, number, ip, contact, requester, assignee",
    "location",
    "submitter, ticket, code, place, twitter, display, given, nick, screen, пользователя, street, home, city, town",
    "kunde",
)
# Who wrote or sent the record, by whatever they are known by.
_USER = vocabulary(
    "user, user id, userid, username, user name, login, handle, nickname, nick, screen name, display name, displayname",
    "profile name, profilename, author, reviewer, reviewername, customer, client, member, requester, requestor",
    "submitter, patient, passenger, email, e mail, kunde, kundenname, kundennummer, auteur, autor, autore, cliente",
    "usuario, utente, utilisateur, benutzer, автор, пользователя, имя пользователя, 用户, 用户名, ユーザー, 投稿者",
    "작성자",
)
_KNOWN_BY = vocabulary("id, name, no, number, nr, nummer, uuid, key, hash, the, of, full, email, e, mail, address")
_NAME = vocabulary("name, naam, nombre, nome, nom, имя, 名前, 姓名")
_CODE = vocabulary(
    "id, ids, uuid, guid, key, hash, code, codes, sku, asin, isbn, ean, upc, gtin, barcode, zip, zipcode, postcode",
    "plz",
    "postal, postal code, iban, account, number, no, nr, token, session, ip, phone, articulo, codigo, nummer",
    "kennung, identifiant, identificador, reference, ref, nbr, invoice, order, article, артикул, код, номер, 编号",
    "番号",
    "번호",
    "serial, license, vin, imei, mac, matricule, cpf, cnpj, nif, ssn, parent asin, stockcode, locationid, collector",
)
_NUMBERED = vocabulary("no, number, nr, nbr, nummer, numero")  # codes only as the last word: not "number of rooms"
_NO_IDS = vocabulary("paid, unpaid, prepaid, valid, invalid, grid, void, android, covid, hybrid, rapid, solid, liquid")
_THINGS = vocabulary("order, account, serial, session, reference, article, invoice, phone, license, token")
_VERSION = vocabulary("version, versions, release, build, firmware, fw, версия, versione, バージョン, 版本")
_TEXT = vocabulary(
    "text, content, review, comment, body, title, summary, message, feedback, description, subject, question",
    "headline",
    "document, sentence, tweet, opinion, heading, kommentar, betreff, titel, beschreibung, bewertung, nachricht",
    "avis",
    "commentaire, titre, critique, comentario, titulo, opinion, resena, texto, mensaje, recensione, titolo, testo",
    "avaliacao",
    "отзыв, текст, комментарий, заголовок, сообщение, レビュー, タイトル, 本文, コメント, 评论, 短评, 标题, 内容",
    "리뷰, 내용, 제목, remarks, notes",
)
_CALENDAR = vocabulary("month, day, week, weekday, hour, hr, minute, monat, tag, stunde, mois, jour, heure, mes, hora")


def why_late(name: str, *, number: bool) -> str:
    """Why a column's name says that its values come to be after the record; "" where it does not.

    number: whether they are numbers, so that a word such as "comments" is a count of them.
    """
    known = _LATE | _LATE_COUNTS if number else _LATE
    for part in _ends(name):
        found = said_in(part, known)
        if found and beside(part, known) <= _COUNTING:
            return f"known only later ('{found[0]}'): it is not there when the record comes"
        state = said_in(part, _STATE)
        if state and beside(part, _STATE) <= _OF_THE_RECORD:
            return f"known only later ('{state[0]}'): it changes after the record was made"
    return ""


def _ends(name: str) -> tuple[str, ...]:
    """A dotted name, and what stands after each of its dots: statistics.count_reopens is also count_reopens."""
    parts = re.split(r"[.:/](?=\w)", name)
    while len(parts) > 1 and parts[-1].lower() in ("label", "value"):
        parts.pop()
    return tuple(".".join(parts[k:]) for k in range(len(parts)))


def called_labeller(name: str) -> bool:
    """Whether a name is that of who labelled, or of what a model said."""
    return bool(said_in(name, _LABELLER))


def why_labeller(name: str, answer: str, *, text: bool, annotated: bool) -> str:
    """Why a column says what the labeller, or a model, wrote beside the answer; "" where its name does not.

    text: whether it holds texts, of which one named after the answer may be what was labelled. annotated: whether the
    file names who labelled, so that a lead time is theirs and no hotel guest's.
    """
    found = said_in(name, _LABELLER | _LEAD if annotated else _LABELLER)
    if found:
        return f"written with the label ('{found[0]}')"
    words = frozenset(name_words(answer))
    own, rest = words - FILLERS - _OF_THE_ANSWER or words, frozenset(name_words(name))
    about = _OF_THE_ANSWER | FILLERS | (frozenset() if text else _NAMED)
    if own and own <= rest != words and rest - own <= about:
        return f"it is about '{answer}', the answer"
    return ""


def is_remark(name: str, answer: str) -> bool:
    """Whether a column is what somebody wrote to explain the answer: csat_comment beside csat."""
    own, words = set(name_words(answer)), set(name_words(name))
    return bool(own & words) and words - own <= _REMARK and words != own


def why_personal(name: str, *, many: bool) -> str:
    """Why a column's name says that it tells who or where a person is. many: nearly each row has its own value."""
    for part in _ends(name):
        if said_in(part, _PERSON) and beside(part, _PERSON) <= _PERSONS_OWN:
            return "identifies a person, or says where one is"
    return "probably identifies a person, by its name and values" if many and not beside(name, _NAME) else ""


def called_user(name: str) -> bool:
    """Whether a name is that of who wrote or sent the record."""
    return any(said_in(part, _USER) and beside(part, _USER) <= _KNOWN_BY for part in _ends(name))


def called_code(name: str) -> bool:
    """Whether a name is that of a key: an id, a number of an order, a code."""
    words = name_words(name)
    if not words or set(words) & {"of", "count", "total"}:
        return False
    glued = [word for word in words if len(word) > 4 and word.endswith("id") and word not in _NO_IDS]
    found = {word for word in said_in(name, _CODE) if word not in _NUMBERED or word == words[-1]}
    return bool(glued) or bool(found - _THINGS) or (len(words) == 1 and bool(found))


def called_version(name: str) -> bool:
    """Whether a name is that of a version."""
    return bool(said_in(name, _VERSION))


def called_text(name: str) -> bool:
    """Whether a name is that of what somebody wrote."""
    return bool(said_in(name, _TEXT))


def called_calendar(name: str) -> bool:
    """Whether a name is that of a part of a date, which is a number for all its leading zeros."""
    return bool(said_in(name, _CALENDAR))
