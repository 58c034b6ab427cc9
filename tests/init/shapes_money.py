"""Banks and shops: answers known only months later, times that are none, titles over workbooks, ambiguous days."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.init.made_files import Csv, Excel, Json, Parquet
from tests.init.made_shapes import *


def _days(made: Made, start: str, days: int, order: int = 1) -> list[datetime]:
    return [m.replace(hour=0, minute=0, second=0) for m in made.moments(start, days, order)]


@shape()
def bank_marketing(made: Made) -> Shape:
    """UCI's bank marketing: semicolons, a day and a month without a year, the call's length known after it."""
    said = made.pick(["yes", "no"], [0.3, 0.7])
    return table(
        number("age", made.whole(19, 90)), category("job", made.pick(["admin.", "technician", "blue-collar", "unknown"])),
        category("marital", made.pick(["married", "single", "divorced"])), flag("default", made.pick(["no", "yes"], [0.98, 0.02])),
        number("balance", made.whole(-900, 9000)), flag("housing", made.pick(["yes", "no"])),
        category("contact", made.pick(["cellular", "telephone", "unknown"])), ordinal("day", made.whole(1, 31)).but("numeric|categorical|slices|left out", "number|category|time"),
        category("month", made.pick(["may", "jun", "aug", "nov"])).but("categorical|slices|left out", "category|time"),
        number("duration", made.risen(made.numbers(200, 90, 0, 5), said, "yes", 120)).but("numeric|left out"),
        ordinal("campaign", made.counts(2)), ordinal("pdays", made.gaps(made.whole(1, 400), 0.8, -1)).but("numeric|categorical|slices|left out"), ordinal("previous", made.counts(0.5)),
        category("poutcome", made.pick(["unknown", "failure", "success"])), answer("y", said, said),
        file=Csv(delimiter=";", quoting=2), asks="time", free="missing",
    )  # fmt: skip


@shape()
def credit_default(made: Made) -> Shape:
    """UCI's credit card defaults as a workbook: a row X1, X2, … over the header, no time."""
    bad = made.pick([0, 1], [0.75, 0.25])
    return table(
        ident("ID", list(range(1, made.rows + 1))).but("id|left out", "id|code|number"), number("LIMIT_BAL", [10_000 * k for k in made.whole(1, 50)]),
        flag("SEX", made.whole(1, 3)), ordinal("EDUCATION", made.whole(1, 5)), number("AGE", made.whole(21, 70)),
        ordinal("PAY_0", made.whole(-2, 5)), number("BILL_AMT1", made.whole(-500, 90_000)), number("PAY_AMT1", made.whole(0, 20_000)),
        answer("default payment next month", bad, bad),
        file=Excel(title=(("", "X1", "X2", "X3", "X5", "X6", "X12", "X18", "Y"),), sheet="Data"), asks="time", free="answer",
    )  # fmt: skip


@shape()
def card_fraud(made: Made) -> Shape:
    """ULB's card fraud: Time is seconds since the first row, which dates nothing."""
    fraud = made.pick([0, 1], [0.85, 0.15])
    seconds = sorted(made.whole(0, 172_792))
    return table(
        later("Time", seconds, "time|number"), *(number(f"V{k}", made.risen(made.numbers(0, 1, 6), fraud, 1, 0.3)) for k in range(1, 13)),
        number("Amount", made.numbers(88, 40, 2, 0)), answer("Class", fraud, fraud), asks="time",
    )  # fmt: skip


@shape()
def transactions(made: Made) -> Shape:
    """A payment provider's transactions: ISO times, accounts with leading zeros, a chargeback that tells the fraud."""
    fraud = [bool(x) for x in made.pick([0, 1], [0.8, 0.2])]
    at = made.moments()
    return table(
        ident("transaction_id", [f"txn_{h}" for h in made.hexes(14)]), time("timestamp", at, "%Y-%m-%dT%H:%M:%S.250Z"),
        key("account", [f"{k:010d}" for k in made.whole(10**6, 10**8)]).but("left out", "code|id"), number("amount", made.risen(made.numbers(50, 20, 2, 0.5), fraud, True, 40)),
        category("currency", made.pick(["EUR", "USD", "NOK"])), category("mcc", [f"{k:04d}" for k in made.pick([742, 5411, 5812])]).but("categorical|slices|left out", "code|category"),
        category("country", made.gaps(made.pick(["NA", "DE", "NO"]), 0.0)), stamp("chargeback_at", [a + timedelta(days=30) if f else None for a, f in zip(at, fraud, strict=True)]).but("left out"),
        answer("is_fraud", fraud, fraud), free="missing",
    )  # fmt: skip


@shape("de")
def bank_statement(made: Made) -> Shape:
    """A German bank's statement: lines of a title, -1.234,56, days as 03.05.24, nothing to predict."""
    at = _days(made, "2024-01-02", 300, -1)
    return table(
        time("Buchungstag", at, "%d.%m.%y", grain="D"), stamp("Wertstellung", at, "%d.%m.%y").but("left out|time"), category("Umsatzart", made.pick(["Lastschrift", "Gutschrift", "Entgelt"])),
        loose("Empfänger", made.pick(["Bäckerei Müller", "Stadtwerke Köln", "Arbeitgeber GmbH"])), loose("Verwendungszweck", made.texts([MID] * made.rows, "de"), "text|category"),
        number("Betrag", made.numbers(-900, 2600, 2)).but("numeric|label"), constant("Währung", "EUR"),
        file=Csv(delimiter=";", decimal=",", thousands=".", encoding="cp1252", title=('"Kontonummer:";"DE00 1234"', "", '"Kontostand:";"1.234,56 €"', "")), free="answer",
    )  # fmt: skip


@shape()
def lending(made: Made) -> Shape:
    """Lending Club's loans: months as Dec-2015, states that are no outcome yet, what was paid since."""
    moods = made.moods(low=0.25, mid=0)
    states = made.pick(["done", "Current", "Late (31-120 days)"], [0.7, 0.25, 0.05])
    status = [("Fully Paid" if m == HIGH else "Charged Off") if s == "done" else s for s, m in zip(states, moods, strict=True)]
    at = [m.replace(day=1) for m in _days(made, "2013-01-05", 900)]
    return table(
        ident("id", [1_000_000 + 17 * k for k in range(made.rows)]), number("loan_amnt", [100 * k for k in made.whole(10, 400)]), category("term", made.pick([" 36 months", " 60 months"])),
        loose("int_rate", [f"{x}%" for x in made.numbers(12, 3, 2, 5)], "number|category|text|code"), category("grade", made.pick(["A", "B", "C"])), loose("emp_length", made.pick(["10+ years", "< 1 year", "n/a"])),
        number("annual_inc", made.whole(20_000, 200_000)), time("issue_d", at, "%b-%Y", grain="M"),
        answer("loan_status", status, [m if s == "done" else MID for s, m in zip(states, moods, strict=True)]),
        loose("purpose", made.pick(["car", "debt_consolidation"])), loose("zip_code", [f"{k:03d}xx" for k in made.whole(0, 1000)]),
        later("total_pymnt", [round(a * (1.1 if s == "Fully Paid" else 0.4), 2) for a, s in zip(made.whole(1000, 30_000), status, strict=True)]).but("left out|numeric"),
        leak("recoveries", [0.0 if s != "Charged Off" else 350.5 + k for k, s in enumerate(status)]),
        stamp("last_pymnt_d", [a + timedelta(days=400) for a in at], "%b-%Y"), free="answer|missing",
    )  # fmt: skip


# ---- retail ----


@shape()
def online_retail(made: Made) -> Shape:
    """Online Retail II, a part of it: no day past the 12th and rows in no order, so day and month are not told."""
    days = [datetime(2010, 1 + int(m), 1 + int(d), int(h), 26) for m, d, h in zip(made.whole(0, 12), made.whole(0, 12), made.whole(8, 18), strict=True)]
    return table(
        key("Invoice", [f"{k}" for k in made.whole(489_434, 489_900)]), key("StockCode", made.pick(["85048", "79323P", "22041"])).but("left out|slices|categorical"),
        loose("Description", made.pick(["15CM CHRISTMAS GLASS BALL", "PINK CHERRY LIGHTS", "RECORD FRAME"])), number("Quantity", made.whole(-12, 96)).but("numeric|label|left out"),
        time("InvoiceDate", days, lambda d: f"{d.day:02d}/{d.month:02d}/{d.year} {d:%H:%M}", grain="min"), number("Price", made.numbers(4, 2, 2, 0.1)).but("numeric|label|left out"),
        key("Customer ID", made.gaps([float(k) for k in made.whole(12_346, 18_287)], 0.2)).but("left out|slices"), category("Country", made.pick(["United Kingdom", "France", "EIRE"])),
        asks="time|answer",
    )  # fmt: skip


@shape()
def rossmann(made: Made) -> Shape:
    """Rossmann's stores: newest day first, customers of the same day as the sales, holidays as 0 and letters."""
    at = [datetime(2015, 7, 31) - timedelta(days=k // 6) for k in range(made.rows)]
    sales = [float(round(x)) for x in made.numbers(6000, 1500, 0, 0)]
    return table(
        key("Store", [k % 6 + 1 for k in range(made.rows)]).but("left out|slices|categorical|numeric"), ordinal("DayOfWeek", [a.isoweekday() for a in at]), time("Date", at, "%Y-%m-%d", grain="D"),
        target("Sales", [int(s) for s in sales]), number("Customers", [int(s / 9 + e) for s, e in zip(sales, made.whole(0, 90), strict=True)]).but("numeric|left out"),
        constant("Open", 1), flag("Promo", made.whole(0, 2)), category("StateHoliday", made.pick(["0", "a", "b"], [0.9, 0.06, 0.04])).but("categorical|slices|numeric"), flag("SchoolHoliday", made.whole(0, 2)),
        free="answer|id",
    )  # fmt: skip


@shape()
def returned_orders(made: Made) -> Shape:
    """A shop's returns: the day and the reason of a return are there only where the answer is yes."""
    back = made.pick(["yes", "no"], [0.35, 0.65])
    at = _days(made, "2023-02-03", 200)
    return table(
        ident("order_item_id", list(range(1, made.rows + 1))).but("id|left out", "id|number|code"), time("order_date", at, "%Y-%m-%d", grain="D"), stamp("delivery_date", [a + timedelta(days=3) for a in at], "%Y-%m-%d"),
        loose("item_size", made.pick(["m", "xl", "42", "unsized"])), category("item_color", made.pick(["black", "blue", "?"])).but("categorical|slices"), number("item_price", made.numbers(60, 25, 2, 1)),
        category("user_title", made.pick(["Mrs", "Mr", "Family"])),
        leak("return_reason", ["too small" if b == "yes" and k % 2 else "colour" if b == "yes" else None for k, b in enumerate(back)]), stamp("return_date", [a + timedelta(days=9) if b == "yes" else None for a, b in zip(at, back, strict=True)], "%Y-%m-%d").but("left out"),
        answer("returned", back, back), free="missing",
    )  # fmt: skip


@shape("de")
def orders_workbook(made: Made) -> Shape:
    """A shop's orders as a workbook: three rows of a title, typed dates, long numbers as text, no answer."""
    return table(
        ident("Auftragsnummer", [f"2024{k:012d}" for k in range(made.rows)]), time("Bestelldatum", made.moments(), None), loose("Artikel", made.pick(["Tasse", "Teller", "Schüssel"])),
        ordinal("Menge", made.whole(1, 9)).but("numeric|categorical|slices|label"), number("Umsatz", made.numbers(70, 20, 2, 1)).but("numeric|label"), category("Land", made.pick(["DE", "AT", "CH"])),
        file=Excel(title=(("Auftragsliste",), ("Stand: 03.05.2024",), ()), sheet="Aufträge"), free="answer",
    )  # fmt: skip


@shape()
def taxi(made: Made) -> Shape:
    """New York's yellow taxis as Parquet: typed times, nothing says which amount is to be predicted."""
    at = made.moments(days=28)
    fare = made.numbers(15, 6, 2, 3)
    tip = made.numbers(2, 1, 2, 0)
    return table(
        flag("VendorID", made.whole(1, 3)).but("categorical|slices|left out|numeric", "category|number|code|id"), time("tpep_pickup_datetime", at, None), stamp("tpep_dropoff_datetime", [a + timedelta(minutes=14) for a in at], None),
        ordinal("passenger_count", made.gaps([float(k) for k in made.whole(1, 6)], 0.05)), number("trip_distance", made.numbers(3, 1, 2, 0.1)), ordinal("RatecodeID", made.gaps([1.0] * made.rows, 0.05)).but("left out|categorical|numeric|slices", "constant|number|category|code"),
        flag("store_and_fwd_flag", made.pick(["N", "Y"], [0.97, 0.03])), key("PULocationID", made.whole(1, 265)).but("left out|slices|categorical|numeric"), key("DOLocationID", made.whole(1, 265)).but("left out|slices|categorical|numeric"),
        ordinal("payment_type", made.whole(1, 5)).but("categorical|slices|numeric|left out", "category|number|code"), *(number(n, c).but("numeric|left out|label") for n, c in (("fare_amount", fare), ("tip_amount", tip), ("total_amount", [round(f + t, 2) for f, t in zip(fare, tip, strict=True)]))),
        file=Parquet(), asks="answer", free="id",
    )  # fmt: skip


@shape("fr")
def french_orders(made: Made) -> Shape:
    """A French marketplace's orders as a JSON list under two names, amounts in cents, an outcome in words."""
    moods = made.moods(mid=0)
    return table(
        ident("commande.id", [f"CMD-{k}" for k in range(70_000, 70_000 + made.rows)]), time("commande.passée_le", made.moments(), "%Y-%m-%dT%H:%M:%S+0000"), number("montant.centimes", made.whole(900, 90_000)),
        category("livraison.mode", made.pick(["relais", "domicile"])), answer("litige", ["non" if m == HIGH else "oui" for m in moods], moods), file=Json(path="résultat.lignes"), free="answer",
    )  # fmt: skip


@shape()
def daily_sales_semicolon(made: Made) -> Shape:
    """A till's days: semicolons, spaces for thousands, a total at the end, Excel's serial days."""
    at = [datetime(2023, 1, 2) + timedelta(days=k) for k in range(made.rows)]
    return table(
        time("Date", at, lambda d: str((d - datetime(1899, 12, 30)).days), grain="D"), category("Weather", made.pick(["sun", "rain", "snow"])), ordinal("Staff", made.whole(2, 7)),
        target("Turnover", made.numbers(5400, 900, 2, 100)), file=Csv(delimiter=";", decimal=",", thousands=" ", footer=(f"Total;;;{1944000.0:.2f}".replace(".", ","),)), extra=1, free="answer",
    )  # fmt: skip
