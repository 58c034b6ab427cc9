"""People: employees, customers, patients and riders, often without any time."""

from __future__ import annotations

from datetime import timedelta

from tests.init.made_files import Csv
from tests.init.made_shapes import *


@shape()
def attrition(made: Made) -> Shape:
    """IBM's HR attrition: constants, an employee number, no time."""
    left = made.pick(["Yes", "No"], [0.3, 0.7])
    return table(
        number("Age", made.whole(18, 60)), answer("Attrition", left, left), category("BusinessTravel", made.pick(["Travel_Rarely", "Travel_Frequently", "Non-Travel"])),
        number("DailyRate", made.whole(100, 1500)), category("Department", made.pick(["Sales", "Research & Development"])), constant("EmployeeCount", 1),
        ident("EmployeeNumber", [k + k // 3 for k in range(1, made.rows + 1)]).but("id|left out", "id|code|number"), ordinal("JobSatisfaction", made.whole(1, 5)), number("MonthlyIncome", made.risen(made.numbers(6500, 1500, 0, 1000), left, "Yes", -900)),
        constant("Over18", "Y"), flag("OverTime", made.pick(["Yes", "No"])), constant("StandardHours", 80), ordinal("YearsAtCompany", made.counts(7)), asks="time", free="answer",
    )  # fmt: skip


@shape()
def telco_churn(made: Made) -> Shape:
    """IBM's telco churn: blanks in TotalCharges, no time."""
    churn = made.pick(["Yes", "No"], [0.35, 0.65])
    months = made.whole(0, 72)
    return table(
        ident("customerID", [f"{k:04d}-{h.upper()}" for k, h in zip(made.whole(0, 9999), made.hexes(5), strict=True)]), category("gender", made.pick(["Male", "Female"])), flag("SeniorCitizen", made.pick([0, 1], [0.8, 0.2])),
        number("tenure", months), category("InternetService", made.pick(["DSL", "Fiber optic", "No"])), category("Contract", made.pick(["Month-to-month", "One year", "Two year"])),
        number("MonthlyCharges", made.risen(made.numbers(65, 20, 2, 18), churn, "Yes", 9)), number("TotalCharges", [" " if m < 2 else m * 65.25 for m in months]), answer("Churn", churn, churn), asks="time",
    )  # fmt: skip


@shape()
def adult(made: Made) -> Shape:
    """UCI's census incomes: a space after each comma, ? for missing, codes beside the words for them, no time."""
    rich = made.pick([" <=50K", " >50K"], [0.7, 0.3])
    education = made.whole(0, 4)
    return table(
        number("age", made.whole(17, 90)), category("workclass", made.gaps(made.pick([" Private", " State-gov"]), 0.06, " ?")), number("fnlwgt", made.whole(20_000, 900_000)).but("numeric|left out", "number|code|id"),
        category("education", [(" HS-grad", " Bachelors", " Masters", " 11th")[e] for e in education]), ordinal("education-num", [(9, 13, 14, 7)[e] for e in education]).but("numeric|categorical|slices|left out"),
        category("occupation", made.gaps(made.pick([" Sales", " Craft-repair"]), 0.06, " ?")), category("sex", made.pick([" Male", " Female"])), ordinal("capital-gain", made.gaps(made.whole(1000, 99_999), 0.9, 0)),
        number("hours-per-week", made.whole(10, 80)), answer("income", rich, rich), asks="time", free="missing",
    )  # fmt: skip


@shape()
def bike_hours(made: Made) -> Shape:
    """UCI's bike sharing: day and hour apart, two columns that add up to the answer."""
    at = made.steady("2011-01-01", 60)
    casual, registered = made.counts(20), made.counts(90)
    return table(
        ident("instant", list(range(1, made.rows + 1))).but("left out|id", "id|number|code"), time("dteday", at, "%Y-%m-%d"), ordinal("season", made.pick([1, 2])), time("hr", at, lambda a: a.hour).but("time|numeric|categorical|slices", "time|number|category"),
        flag("holiday", made.pick([0, 1], [0.95, 0.05])), ordinal("weekday", [a.isoweekday() % 7 for a in at]), ordinal("weathersit", made.whole(1, 4)), number("temp", made.waves(0.4, 0.1, 0.05)), number("hum", made.waves(0.6, 0.1, 0.05)),
        leak("casual", casual).but("left out", "number|category"), leak("registered", registered).but("left out", "number"), target("cnt", [a + b for a, b in zip(casual, registered, strict=True)]), moments=at,
    )  # fmt: skip


@shape()
def hospital(made: Made) -> Shape:
    """UCI's diabetes encounters: ?, codes of diagnoses as 250.83, an answer of three words, no time."""
    again = made.pick(["NO", ">30", "<30"], [0.5, 0.35, 0.15])
    return table(
        ident("encounter_id", [2_278_392 + 991 * k for k in range(made.rows)]).but("id|left out"), key("patient_nbr", made.whole(10**6, 10**8)).but("left out", "id|code|number"), category("race", made.gaps(made.pick(["Caucasian", "AfricanAmerican"]), 0.03, "?")),
        category("age", made.pick(["[50-60)", "[60-70)", "[70-80)"])), loose("weight", made.gaps(["[75-100)"] * made.rows, 0.97, "?"), "category|constant"), ordinal("time_in_hospital", made.whole(1, 14)).but("numeric|categorical|slices|left out"),
        number("num_lab_procedures", made.whole(1, 90)), loose("diag_1", made.pick(["250.83", "414", "V57", "428", "276"]), "code|category"), ordinal("number_inpatient", made.counts(0.6)),
        flag("diabetesMed", made.pick(["Yes", "No"])), answer("readmitted", again, again), asks="time", free="answer|missing",
    )  # fmt: skip


@shape("pt")
def no_shows(made: Made) -> Shape:
    """Brazil's medical appointments: ids ruined by a spreadsheet, a day of the appointment after that of booking."""
    at = made.moments("2016-04-01", 60)
    missed = made.pick(["Yes", "No"], [0.3, 0.7])
    return table(
        key("PatientId", [float(k) * 1e9 for k in made.whole(10_000, 99_999)]).but("left out"), ident("AppointmentID", [5_030_230 + 37 * k for k in range(made.rows)]), category("Gender", made.pick(["F", "M"])), time("ScheduledDay", at, "%Y-%m-%dT%H:%M:%SZ").but("time|left out"),
        time("AppointmentDay", [(a + timedelta(days=4)).replace(hour=0, minute=0, second=0) for a in at], "%Y-%m-%dT%H:%M:%SZ").but("time|left out|arrived"),
        number("Age", made.whole(0, 95)), category("Neighbourhood", made.pick(["JARDIM DA PENHA", "MARIA ORTIZ", "GOIABEIRAS"])), flag("Scholarship", made.whole(0, 2)), flag("Hipertension", made.whole(0, 2)), flag("SMS_received", made.whole(0, 2)).but("categorical|slices|numeric|left out"),
        answer("No-show", missed, missed), free="time|answer",
    )  # fmt: skip


@shape()
def mixed_date_forms(made: Made) -> Shape:
    """A practice's sheet that two people filled: half of the days ISO, half as 03.05.2023."""
    at = [m.replace(hour=0, minute=0, second=0) for m in made.moments()]
    ill = made.pick(["positive", "negative"], [0.4, 0.6])
    return table(
        ident("case", [f"P{k:05d}" for k in range(made.rows)]), time("visit_date", at, lambda m: m.strftime("%d.%m.%Y" if m.day % 2 else "%Y-%m-%d"), grain="D"), number("crp", made.risen(made.numbers(20, 8, 1, 0), ill, "positive", 9)),
        category("ward", made.pick(["A", "B"])), answer("test_result", ill, ill), file=Csv(delimiter=";"), free="answer",
    )  # fmt: skip


@shape()
def month_names_of_members(made: Made) -> Shape:
    """A club's cancellations: when a member left stands there only for those who left."""
    gone = [bool(x) for x in made.pick([0, 1], [0.6, 0.4])]
    at = [m.replace(hour=0, minute=0, second=0) for m in made.moments("2021-01-05", 700)]
    return table(
        ident("member_no", [f"{k:07d}" for k in range(120, 120 + made.rows)]), time("joined", at, "%d %b %Y", grain="D"), number("fee", made.numbers(30, 8, 2, 5)), category("sport", made.pick(["tennis", "rowing", "judo"])),
        stamp("left_on", [a + timedelta(days=90) if g else None for a, g in zip(at, gone, strict=True)], "%d %b %Y").but("left out"), answer("churned", gone, gone),
    )  # fmt: skip
