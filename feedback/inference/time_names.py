"""What the name of a column says of time: by whole words, in several languages; when, a span, a part of a date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from trueup.feedback.inference.names import name_words, unaccented, vocabulary

_SPLIT = re.compile(r"[^\W\d_]+")
_TIME = vocabulary(
    "when, date, datetime, timestamp, time, ts, epoch, unix, datestamp, timestamps, dttm, dt, fecha, hora, datum, "
    "zeit, uhrzeit, zeitstempel, zeitpunkt, startzeit, endzeit, messzeit, datums, horodatage, heure, tijd, "
    "tijdstip, dato, tid, tidspunkt, dátum, időpont, idő, czas, tarih, zaman, päivämäärä, aika, pvm, дата, время, "
    "дате, čas, ημερομηνία, ώρα, tanggal, waktu, ngày, תאריך, تاريخ, दिनांक"
)
_WEAK = vocabulary(
    "data, dat, día, tag, dag, mtu, dia, giorno, jour, ora, period, periode, periodo, yearmonth, yyyymm, yyyymmdd, ym, "
    "month, monat, mes, mois, week, day"
)
_MADE = vocabulary(
    "created, creation, create, submitted, submission, submit, posted, published, publication, publish, written, "
    "reviewed, review, opened, open, reported, received, recorded, logged, comment, erstellt, angelegt, "
    "eingereicht, eingegangen, veröffentlicht, creado, creada, publicado, publicada, creación, publicación, avis, "
    "opinión, créé, créée, publié, publiée, soumis, soumise, creato, creata, pubblicato, pubblicata, criado, "
    "criada, criação, aangemaakt, geplaatst, ingediend, utworzono, dodano, wystawiono, создан, создано, создания, "
    "публикации, skapad, oprettet, opprettet, luotu, oluşturulma, vytvořeno"
)
_LATER = vocabulary(
    "updated, update, modified, modification, edited, edit, changed, change, replied, reply, replies, response, "
    "responded, answered, answer, resolved, resolution, solved, closed, close, completed, complete, completion, "
    "finished, finish, ended, end, due, deadline, deleted, expired, expires, expiry, shipped, delivered, delivery, "
    "last, latest, status, "
    "returned, cancelled, canceled, refunded, paid, payment, pymnt, approved, assigned, processed, "
    "stop, until, next, synced, exported, downloaded, scraped, crawled, fetched, imported, retrieved, ingested, "
    "loaded, extracted, labeled, labelled, annotated, settled, developer, geändert, aktualisiert, bearbeitet, "
    "beantwortet, geschlossen, gelöst, erledigt, fällig, wertstellung, valuta, antwort, ende, modificado, "
    "actualizado, actualización, respondido, respuesta, cerrado, resuelto, fin, cierre, modifié, répondu, réponse, "
    "fermé, clos, résolu, clôture, mise, aggiornato, modificato, risposto, risposta, chiuso, atualizado, "
    "atualização, fechado, resposta, respondida, bijgewerkt, gewijzigd, gesloten, zaktualizowano, zmieniono, "
    "odpowiedzi, zamknięto, обновлено, изменено, изменения, ответа, закрыто"
)
_BIRTHS = vocabulary("birth, dob, born, birthday, birthdate, geburt, geburtsdatum, nacimiento, naissance, nascita")
_AHEAD = vocabulary("due, deadline, expiry, expires, expiration, next, until, valid, estimated, planned, fällig")
_OTHERS = vocabulary(
    "birth, dob, born, birthday, birthdate, joined, join, signup, registered, registration, member, membership, "
    "hire, hired, since, release, released, manufactured, account, geburt, geburtsdatum, geburtstag, nacimiento, "
    "naissance, nascita, nascimento, рождения"
)
_SPANS = vocabulary(
    "spent, duration, elapsed, taken, wait, waiting, lead, handling, processing, cooking, prep, preparation, "
    "reaction, travel, ride, session, ms, msec, sec, secs, seconds, min, mins, minutes, hrs, hours, days, to, per, "
    "left, remaining, zone, timezone, tz, format, count, slot, limit, out, off, over, in, of, for, between, avg, "
    "average, mean, total, max, signature, trial, full, part, first, zeitzone, uptime, downtime, number, id, by, "
    "type, status, flag, ratio, rate, score, name"
)
_ENDS = frozenset({"on", "am", "le", "el", "il", "em", "op", "den"})  # after what was done: created on, publié le
_ALONE = frozenset({
    "created", "submitted", "posted", "published", "updated", "modified", "opened", "closed", "resolved", "recorded",
    "logged", "reviewed",
})  # fmt: skip
_CREATED = vocabulary(
    "created, creation, opened, erstellt, creado, créé, creato, criado, создано"
)
_CLOCKS = {
    "CET": "Europe/Berlin", "CEST": "Europe/Berlin", "MEZ": "Europe/Berlin", "MESZ": "Europe/Berlin",
    "EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago", "CDT": "America/Chicago",
    "PST": "America/Los_Angeles", "PDT": "America/Los_Angeles", "BST": "Europe/London", "JST": "Asia/Tokyo",
}  # fmt: skip
# A winter's name alone may be meant all year round.
_FIXED = {"CET": "Etc/GMT-1", "MEZ": "Etc/GMT-1", "EST": "Etc/GMT+5", "CST": "Etc/GMT+6", "PST": "Etc/GMT+8"}
_GLUED = re.compile(r".{2,}(?:date|datum|dato|datetime|timestamp|zeitstempel|uhrzeit|fecha|day)$")
_GLUED_TIME = re.compile(
    r"(?:create|creat|update|start|end|publish|post|review|order|event|log|submit|unix|sent|modif).*time$"
)
_NOT_GLUED = frozenset({
    "candidate", "mandate", "update", "validate", "consolidate", "accommodate", "intimidate", "liquidate",
    "antedate", "predate", "invalidate", "birthday", "holiday", "weekday", "everyday", "today", "someday",
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "midday", "payday",
})  # fmt: skip
_CJK = (
    "日期", "日時", "時間", "时间", "時刻", "时刻", "日付", "作成日", "投稿日", "登録日",
    "날짜", "일시", "시간", "작성일", "등록일",
)  # fmt: skip
_CJK_LATER = ("更新", "返信", "回复", "回覆", "解决", "解決", "完了", "完成", "수정", "답변", "处理")
_CJK_MADE = ("投稿", "作成", "创建", "建立", "发布", "評論", "评论", "登録", "작성", "등록", "レビュー")
_PARTS = {
    "Y": "year yr yyyy jahr año ano anno année annee jaar rok год år vuosi yıl év 年 年份 연도",
    "m": "month mon mm monat mes mese mês mois maand miesiąc месяц måned månad kuukausi ay hónap 月 月份 월",
    "d": "day dd tag día dia giorno jour dag dzień день päivä gün nap 日 일",
    "H": "hour hr hh h stunde std hora heure ora uur godzina час time_hour timme tunti saat óra 时 時 小时 시",
    "M": "minute mi minuten minuto", "S": "second",
    "q": "quarter qtr quartal trimestre trimester kwartał квартал",
}  # fmt: skip
_PART_OF = {unaccented(word): part for part, words in _PARTS.items() for word in words.split()}
_FILL = frozenset({"of", "the", "no", "nr", "num", "number", "in"})


@dataclass(frozen=True)
class TimeName:
    """called: a whole word means a time. hinted: it may be meant, if the values are times. stage: when, as far as said:
    "made" (of the record itself), "later", "others" (of a person or a product), or "". span: how long, not when.
    bare: it says nothing else, so that numbers are times as well. dated: a part of a word means a date.
    """

    called: bool
    hinted: bool
    stage: str
    span: bool
    bare: bool = False
    dated: bool = False


@lru_cache(maxsize=4096)
def time_name(name: str) -> TimeName:
    """What a column's name says of time."""
    words = name_words(name)
    own = set(words)
    cjk = any(sign in name for sign in _CJK)
    done = own & (_MADE | _LATER) or any(w.endswith(("ed", "en")) for w in words[:-1])
    ends = bool(words) and (words[-1] == "at" or (len(words) > 1 and words[-1] in _ENDS and bool(done)))
    alone = bool(own) and own - {"utc", "gmt"} <= _ALONE
    glued = any((_GLUED.match(w) or _GLUED_TIME.match(w)) and w not in _NOT_GLUED for w in words)
    dates = any(w.endswith(("datum", "timestamp", "datetime", "zeitstempel")) for w in words)
    span = bool(own & _SPANS) and not ends and "birth" not in own
    called = (bool(own & _TIME) or ends or cjk or alone or dates) and not span
    dated = called or glued or alone or "since" in own
    hinted = dated or bool(own & (_WEAK | _MADE | _TIME))
    bare = called and own <= _TIME | _MADE | _ALONE | _ENDS | {"at", "utc", "start", "end", "started", "ended"}
    return TimeName(called, hinted, _stage(name, own), span, bare, dated)


def _stage(name: str, own: set[str]) -> str:
    if own & _OTHERS:
        return "others"
    if own & _CREATED:
        return "made"
    if own & _LATER or any(sign in name for sign in _CJK_LATER):
        return "later"
    made = own & _MADE or own <= (_TIME | {"at", "utc"}) or any(sign in name for sign in _CJK_MADE)
    return "made" if made else ""


def is_foreign_time(name: str) -> bool:
    """Whether a time can never be that of a record: when somebody was born, or what is yet to come."""
    return bool(set(name_words(name)) & (_BIRTHS | _AHEAD))


def named_zones(name: str) -> tuple[str, ...]:
    """The zones that a column's name may speak of, as "(CET/CEST)" does of one, "(CET)" of two; empty: UTC or none."""
    said = {w for w in _SPLIT.findall(name) if w in _CLOCKS}
    zones = {_CLOCKS[w] for w in said}
    if not said or len(zones) > 1:
        return tuple(sorted(zones))
    zone = zones.pop()
    return (zone,) if len(said) > 1 or next(iter(said)) not in _FIXED else (zone, _FIXED[next(iter(said))])


@lru_cache(maxsize=4096)
def date_part(name: str) -> tuple[str, tuple[str, ...]]:
    """Which part of a date a column is called ("Y", "m", "d", "H", "M", "S", "q"; "" none), and its other words."""
    words = name_words(name)
    parts = [w for w in words if w in _PART_OF and (len(w) > 1 or len(words) == 1)]  # pH is no hour
    if not parts or set(words) & {"week", "weekday", "dayofweek", "dayofyear"}:
        return "", words
    # "arrival date day of month" is a day: the first of its parts is meant
    rest = tuple(w for w in words if w not in _PART_OF and w not in _FILL)
    return _PART_OF[parts[0]], rest
