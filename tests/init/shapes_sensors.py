"""Sensors and energy: decimal commas, marks for missing values, dates and hours apart, clock changes."""

from __future__ import annotations

from datetime import timedelta

from tests.init.made_files import Csv, Json
from tests.init.made_shapes import *


@shape("it")
def air_quality(made: Made) -> Shape:
    """UCI's air quality (an Italian town): semicolons, decimal comma, -200 for missing, 18.00.00, two empty columns."""
    at = made.steady("2004-03-10 18:00", 60)
    spoilt = made.gaps(made.waves(2.1, 1, 0.3, digits=1), 0.15, -200.0)
    return table(
        time("Date", at, "%d/%m/%Y"), time("Time", at, "%H.%M.%S"),
        target("CO(GT)", spoilt).but("numeric|label"), number("PT08.S1(CO)", made.gaps(made.whole(800, 1600), 0.04, -200), -200),
        number("NMHC(GT)", made.gaps(made.whole(20, 400), 0.6, -200), -200), number("C6H6(GT)", made.gaps(made.waves(10, 5, 1, digits=1), 0.04, -200.0), -200),
        number("T", made.gaps(made.waves(15, 6, 1, digits=1), 0.04, -200.0), -200), number("RH", made.gaps(made.waves(48, 9, 2, digits=1), 0.04, -200.0), -200),
        number("AH", made.numbers(0.75, 0.05, 4)), empty(""), empty(""),
        file=Csv(delimiter=";", decimal=",", footer=(";;;;;;;;;;",) * 20), moments=at, asks="missing", free="answer", extra=20,
    )  # fmt: skip


@shape()
def household_power(made: Made) -> Shape:
    """UCI's household power consumption: minutes, days first, ? where a value is missing."""
    at = made.steady("2006-12-16 17:24", 1)
    lost = [made.rng.random() < 0.04 for _ in at]
    names = ("Global_active_power", "Global_reactive_power", "Voltage", "Global_intensity", "Sub_metering_1", "Sub_metering_2")
    cells = [["?" if gone else c for gone, c in zip(lost, made.numbers(level, sd, 3, 0), strict=True)]
             for level, sd in ((4, 1), (0.2, 0.1), (235, 3), (18, 4), (1, 0.2), (2, 0.4))]
    return table(
        time("Date", at, "%d/%m/%Y"), time("Time", at, "%H:%M:%S"),
        *(number(n, c).but("numeric|label|left out") for n, c in zip(names, cells, strict=True)),
        number("Sub_metering_3", ["" if gone else c for gone, c in zip(lost, made.numbers(16, 2, 1, 0), strict=True)]).but("numeric|label|left out"),
        file=Csv(delimiter=";", ending=".txt"), moments=at, asks="answer",
    )  # fmt: skip


@shape()
def secom(made: Made) -> Shape:
    """UCI's SECOM with its header: forty signals, some constant, NaN; fails are 1, passes -1."""
    failed = made.pick([-1, 1], [0.8, 0.2])
    signals = [number(f"{k}", made.gaps(made.risen(made.numbers(100 * k, 5 + k), failed, 1, 2.0), 0.05, "NaN")) for k in range(1, 30)]
    still = [constant(f"{k}", 0.0) for k in range(30, 36)]
    return table(
        time("Time", made.moments("2008-07-19", 80), "%Y-%m-%d %H:%M:%S"), *signals, *still,
        answer("Pass/Fail", failed, failed),
    )  # fmt: skip


@shape()
def predictive_maintenance(made: Made) -> Shape:
    """UCI's AI4I 2020: no time, and the five causes whose sum is the answer."""
    kinds = made.pick(["none", "TWF", "HDF", "PWF", "OSF"], [0.8, 0.05, 0.05, 0.05, 0.05])
    failed = [int(k != "none") for k in kinds]
    return table(
        ident("UDI", list(range(1, made.rows + 1))).but("id|left out", "id|code|number"),
        ident("Product ID", [f"M{14860 + k}" for k in range(made.rows)]).but("id|left out"),
        category("Type", made.pick(["L", "M", "H"])),
        number("Air temperature [K]", made.numbers(300, 2, 1)), number("Process temperature [K]", made.numbers(310, 1.5, 1)),
        number("Rotational speed [rpm]", made.whole(1200, 2800)), number("Torque [Nm]", made.risen(made.numbers(40, 9, 1), failed, 1, 9)),
        number("Tool wear [min]", made.whole(0, 250)),
        answer("Machine failure", failed, failed),
        *(leak(c, [int(k == c) for k in kinds]) for c in ("TWF", "HDF", "PWF", "OSF")), constant("RNF", 0),
        asks="time",
    )  # fmt: skip


@shape()
def influx(made: Made) -> Shape:
    """InfluxDB's annotated CSV: three lines of annotations before the header, which begins with a comma."""
    at = made.steady("2023-05-03 00:00", 10)
    span = "#group,false,false,true,true,false,false,true,true,true"
    types = "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string"
    iso = "%Y-%m-%dT%H:%M:%SZ"
    return table(
        empty(""), constant("result", "mean"), constant("table", 0),
        stamp("_start", [at[0]] * made.rows, iso).but(kinds="time|constant"), stamp("_stop", [at[-1]] * made.rows, iso).but(kinds="time|constant"),
        time("_time", at, iso), target("_value", made.waves(21, 4, 0.5)).but("label|numeric"),
        constant("_field", "temperature"), constant("_measurement", "room"), category("host", made.pick(["a1", "b2"])),
        file=Csv(title=(span, types, "#default,mean,,,,,,,,")), free="answer|format", also={"": "Unnamed: 0"},
    )  # fmt: skip


@shape("de")
def dwd(made: Made) -> Shape:
    """The German weather service's hours: 2023010100, padded fields, -999, eor at each line's end."""
    at = made.steady("2023-01-01", 60)
    return table(
        constant("STATIONS_ID", "       3987"), time("MESS_DATUM", at, "%Y%m%d%H", grain="h"),
        constant("QN_9", "    3"), number("TT_TU", made.gaps(made.waves(4, 5, 1, digits=1), 0.03, -999.0), -999),
        number("RF_TU", made.gaps(made.waves(80, 9, 2, digits=1), 0.03, -999.0), -999), constant("eor", "eor"),
        file=Csv(delimiter=";", ending=".txt"), asks="missing", free="answer",
    )  # fmt: skip


@shape()
def factory_events(made: Made) -> Shape:
    """A gateway's JSON Lines: nested readings, epoch milliseconds, an alarm as true and false."""
    alarm = [bool(x) for x in made.pick([0, 1], [0.75, 0.25])]
    return table(
        time("ts", made.steady("2024-01-05", 5), "epoch ms"), key("device.id", made.pick(["p-01", "p-02", "p-03"])).but("left out|slices|categorical"),
        version("device.fw", made.pick(["1.9", "1.10"])).but("slices|left out|categorical"),
        number("readings.temp", made.risen(made.numbers(60, 4), alarm, True, 4)), number("readings.vibration", made.numbers(1, 0.2, 3)),
        answer("alarm", alarm, alarm), file=Json(lines=True, ending=".ndjson"),
    )  # fmt: skip


@shape()
def hours_to_24(made: Made) -> Shape:
    """A counter's hours from 1 to 24, where 24 ends the day, with the day in a column of its own."""
    at = made.steady("2023-03-01 01:00", 60)
    ends = [a - timedelta(hours=1) for a in at]
    return table(
        time("day", ends, "%Y-%m-%d"), time("hour", ends, lambda a: a.hour + 1).but("time|numeric|categorical|slices", "time|number|category"), number("temperature", made.waves(9, 5, 1)),
        flag("holiday", made.pick([0, 1], [0.9, 0.1])), target("load", made.waves(300, 80, 15, digits=0)),
        moments=at, free="answer",
    )  # fmt: skip


@shape()
def machine_temperature(made: Made) -> Shape:
    """Numenta's machine temperatures: a time and a value, nothing to predict but the value itself."""
    return table(time("timestamp", made.steady("2013-12-02 21:15", 5)), target("value", made.waves(80, 6, 1)).but("numeric|label"), free="answer|feature")


@shape()
def openaq(made: Made) -> Shape:
    """OpenAQ's measurements: UTC and local times, one pollutant a row."""
    at = made.steady("2024-06-01", 60)
    return table(
        constant("location_id", 8118), constant("location", "New Delhi"), category("parameter", made.pick(["pm25", "o3"])), constant("unit", "µg/m³"),
        target("value", made.numbers(60, 20, 1, 0)).but("label|numeric"),
        time("datetimeUtc", at, "%Y-%m-%dT%H:%M:%SZ"), time("datetimeLocal", at, lambda a: f"{a + timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%M:%S}+05:30"),
        constant("latitude", 28.63576), constant("longitude", 77.22445), free="answer|time",
    )  # fmt: skip


# ---- energy ----


@shape()
def entsoe(made: Made) -> Shape:
    """ENTSO-E's day-ahead prices: an interval as the time, in CET or CEST as the header says."""
    at = made.steady("2023-01-02", 60)
    return table(
        time("MTU (CET/CEST)", [a - timedelta(hours=1) for a in at], lambda m: f"{m + timedelta(hours=1):%d.%m.%Y %H:%M} - {m + timedelta(hours=2):%d.%m.%Y %H:%M}", grain="h"),
        target("Day-ahead Price [EUR/MWh]", made.waves(110, 40, 9)), constant("Currency", "EUR"), constant("BZN|DE-LU", None),
        file=Csv(quoting=1), free="answer|time",
    )  # fmt: skip


@shape("de")
def smart_meter(made: Made) -> Shape:
    """A German meter's quarter hours: three lines of a title, decimal comma, a state of the value."""
    at = made.steady("2024-01-08", 15)
    return table(
        time("Zeitstempel", at, "%d.%m.%Y %H:%M", grain="min"), target("Verbrauch (kWh)", made.numbers(0.25, 0.08, 3, 0.001)).but("label|numeric"),
        category("Status", made.pick(["W", "E"], [0.97, 0.03])),
        file=Csv(delimiter=";", decimal=",", encoding="cp1252", title=("Zählpunkt: DE0001234", "Gerät: Größe 3", "")), free="answer|time|format",
    )  # fmt: skip


@shape()
def electricity_market(made: Made) -> Shape:
    """A market's half hours without a clock: the order of the rows is all there is, as in elec2."""
    up = made.pick(["UP", "DOWN"], [0.45, 0.55])
    period = [round(k % 48 / 47, 6) for k in range(made.rows)]
    return table(
        number("period", period), number("nswprice", made.risen(made.numbers(0.06, 0.03, 6, 0), up, "UP", 0.02)), number("nswdemand", made.numbers(0.4, 0.1, 6, 0)),
        number("vicprice", made.numbers(0.003, 0.001, 6, 0)), number("transfer", made.numbers(0.5, 0.1, 6, 0)), answer("class", up, up), asks="time",
    )  # fmt: skip


@shape("es")
def spanish_energy(made: Made) -> Shape:
    """Spain's hours of 2015: offsets in the time, dead columns, the price in the last place."""
    at = made.steady("2015-01-02", 60)
    return table(
        time("time", at, lambda a: f"{a + timedelta(hours=1):%Y-%m-%d %H:%M:%S}+01:00"), number("generation biomass", made.whole(300, 500)),
        constant("generation fossil oil shale", 0), empty("generation hydro pumped storage aggregated"), number("generation solar", made.waves(1400, 1300, 90, digits=0)),
        number("total load forecast", made.waves(27000, 4000, 500, digits=0)), number("price day ahead", made.waves(50, 12, 3)).but("numeric|left out|label"),
        target("price actual", made.waves(57, 12, 4)).but("label|numeric"), asks="answer",
    )  # fmt: skip


@shape()
def solar_plant(made: Made) -> Shape:
    """A solar plant's inverters: days first with dashes, what follows from the power beside it."""
    at = made.steady("2020-05-15", 15)
    power = made.waves(500, 480, 20, 96)
    return table(
        time("DATE_TIME", at, "%d-%m-%Y %H:%M", grain="min"), constant("PLANT_ID", 4135001), key("SOURCE_KEY", made.pick(["1BY6WEcLGh8j5v7", "1IF53ai7Xc0U56Y"])).but("left out|slices|categorical"),
        number("DC_POWER", [p * 10 for p in power]).but("numeric|left out|label"), number("AC_POWER", power).but("numeric|left out|label"),
        number("DAILY_YIELD", made.numbers(3000, 900, 2, 0)).but("numeric|left out|label"), number("TOTAL_YIELD", [6_259_559 + 3.5 * k for k in range(made.rows)]).but("numeric|left out|label"),
        asks="answer",
    )  # fmt: skip


@shape("ru")
def heating(made: Made) -> Shape:
    """A heating plant's log (Russian): tabs, decimal comma, the day first with two digits of the year."""
    at = made.steady("2023-11-01", 30)
    return table(
        time("Дата", at, "%d.%m.%y"), time("Время", at, "%H:%M"), number("Температура подачи", made.waves(70, 6, 1, digits=1)), number("Давление", made.numbers(5, 0.3, 2)),
        answer("Авария", (bad := made.pick(["да", "нет"], [0.2, 0.8])), bad), file=Csv(delimiter="\t", decimal=",", encoding="cp1251", ending=".txt"), moments=at,
    )  # fmt: skip
