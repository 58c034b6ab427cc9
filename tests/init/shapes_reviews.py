"""Reviews in English: shops, travel, films, tweets."""

from __future__ import annotations

import csv
from datetime import datetime

from tests.init.made_files import Csv, Json
from tests.init.made_shapes import *

WORDS = {LOW: "negative", MID: "neutral", HIGH: "positive"}


def _as_read(review: datetime) -> str:
    return f"Reviewed in the United States on {review:%B} {review.day}, {review.year}"


@shape()
def amazon_scraper(made: Made) -> Shape:
    """A browser plug-in's table of Amazon reviews: sentences where numbers are meant."""
    moods = made.moods()
    return table(
        ident("review_id", [f"R{h.upper()}" for h in made.hexes(13)]),
        person("author", made.people()),
        answer("rating", [f"{s}.0 out of 5 stars" for s in made.stars(moods)], moods),
        title("title", made.texts(moods, words=(1, 4))),
        time("date", made.moments(order=-1), _as_read, grain="D"),
        flag("verified", made.pick(["Verified Purchase", ""])).but("categorical|slices|left out", "category|constant"),
        text("body", made.texts(moods)),
        later("helpful", made.gaps([f"{k + 2} people found this helpful" for k in made.counts()], 0.6), "text|category|number"),
    )


@shape()
def amazon_2018(made: Made) -> Shape:
    """UCSD's Amazon reviews of 2018: gzipped JSON Lines, a month-day-year text beside epoch seconds."""
    moods = made.moods()
    days = [d.replace(hour=0, minute=0, second=0) for d in made.moments("2014-01-05", 700, order=0)]
    return table(
        answer("overall", [float(s) for s in made.stars(moods)], moods),
        flag("verified", [bool(v) for v in made.whole(0, 2)]),
        time("reviewTime", days, lambda d: f"{d:%m} {d.day}, {d.year}", grain="D").but("time|left out"),
        key("reviewerID", [f"A{h.upper()}" for h in made.hexes(13)]).but("left out", "id|code"),
        key("asin", made.pick(["B00004Y2UT", "0005019281", "B0017LNHY2"])).but("left out|slices|categorical"),
        nested("style", [{"Format:": " DVD"}] * made.rows).but(kinds="nested|constant|category"),
        person("reviewerName", made.people()),
        text("reviewText", made.texts(moods)),
        title("summary", made.texts(moods, words=(1, 4))).but("text"),
        time("unixReviewTime", days, "epoch s").but("time|left out"),
        later("vote", made.gaps([str(c + 1) for c in made.counts()], 0.8)),
        file=Json(lines=True, ending=".jsonl", packed="gz", nested=False, absent=True),
        free="time",
        also={"style": "style.Format:"},
    )


@shape()
def yelp(made: Made) -> Shape:
    """Yelp's academic data set: JSON Lines in a .json file."""
    moods = made.moods()
    return table(
        ident("review_id", made.hexes(22)), key("user_id", made.hexes(22)), key("business_id", made.pick(made.hexes(22)[:30])),
        answer("stars", [float(s) for s in made.stars(moods)], moods),
        later("useful", made.counts()), later("funny", made.counts(1)), later("cool", made.counts(1)),
        text("text", made.texts(moods)),
        time("date", made.moments("2015-04-15", 1500, order=0)),
        file=Json(lines=True),
    )  # fmt: skip


@shape()
def tripadvisor(made: Made) -> Shape:
    """TripAdvisor hotel reviews as published for teaching: a text and a rating, no time at all."""
    moods = made.moods()
    return table(text("Review", made.texts(moods)), answer("Rating", made.stars(moods), moods), asks="time")


@shape()
def hotel_reviews(made: Made) -> Shape:
    """Booking.com's half million: the days as month/day, a score of one decimal, counts of words, ages in words."""
    moods, at = made.moods(), [d.replace(hour=0, minute=0, second=0) for d in made.moments("2016-01-05", 500, order=-1)]
    bad = ["No Negative" if m == HIGH else t for m, t in zip(moods, made.texts(moods), strict=True)]
    scores = [round(x, 1) for x in made.by(moods, [2.5, 3.8, 4.6], [5.8, 6.3], [7.9, 8.8, 9.6, 10.0])]
    return table(
        loose("Hotel_Address", made.pick(["s Gravesandestraat 55 Amsterdam", "Via Roma 1 Milan", "1 Strand London"])),
        time("Review_Date", at, lambda d: f"{d.month}/{d.day}/{d.year}", grain="D"),
        ordinal("Average_Score", made.pick([7.7, 8.1, 8.9])),
        loose("Hotel_Name", made.pick(["Hotel Arena", "Hotel Due", "The Strand"])),
        category("Reviewer_Nationality", made.pick([" Russia ", " Ireland ", " Australia "])),
        text("Negative_Review", bad), text("Positive_Review", made.texts(moods)),
        loose("Total_Number_of_Reviews", made.pick([1403, 688, 2311]), "number|category"),
        target("Reviewer_Score", scores),
        loose("Tags", made.pick(["[' Leisure trip ', ' Couple ']", "[' Business trip ']", "[' Solo traveler ']"]), "category|text|nested"),
        loose("days_since_review", [f"{(datetime(2017, 9, 1) - d).days} days" for d in at], "text|number|category|time|code").but("left out"),
        ordinal("lat", made.pick([52.3605759, 45.53, 51.5])).but("numeric|categorical|slices|left out"),
    )  # fmt: skip


@shape()
def trustpilot(made: Made) -> Shape:
    """Trustpilot's business export, with the zone in the header."""
    moods, at = made.moods(), made.moments(order=-1)
    return table(
        ident("Review Id", made.hexes(24)),
        time("Review Created (UTC)", at),
        person("Review Consumer User Id", made.hexes(24)), person("Review Username", made.people()),
        title("Review Title", made.texts(moods, words=(1, 4))),
        text("Review Content", made.texts(moods)),
        answer("Review Stars", made.stars(moods), moods),
        category("Source Of Review", made.pick(["Organic", "AutomaticInvitation", "Manual"])),
        category("Review Language", made.pick(["en", "de", "da"])),
        later("Company Reply", made.gaps(["Thank you for sharing"] * made.rows, 0.6), "text|constant|category"),
        stamp("Company Reply Date (UTC)", made.later(at, 0.4)),
        empty("Reference Id"), empty("Location Name"),
        file=Csv(quoting=csv.QUOTE_ALL),
    )  # fmt: skip


@shape()
def goodreads(made: Made) -> Shape:
    """UCSD's Goodreads reviews: times as Ruby writes them, 0 stars where nobody rated."""
    moods, at = made.moods(mid=0.05), made.moments("2016-03-01", 400, order=0)
    stars = made.gaps(made.stars(moods), 0.06, 0)
    ruby = "%a %b %d %H:%M:%S +0000 %Y"
    return table(
        key("user_id", made.hexes(32)), key("book_id", [str(k) for k in made.whole(10**6, 10**7)]), ident("review_id", made.hexes(32)),
        answer("rating", stars, [m if s else MID for m, s in zip(moods, stars, strict=True)]),
        text("review_text", made.texts(moods)),
        time("date_added", at, ruby), stamp("date_updated", made.later(at), ruby),
        stamp("read_at", [None] * made.rows, ruby).but(kinds="empty|constant|time"),
        later("n_votes", made.counts(1)), later("n_comments", made.counts(0.5)),
        file=Json(lines=True, ending=".jsonl"), free="missing|answer",
    )  # fmt: skip


@shape()
def imdb_50k(made: Made) -> Shape:
    """IMDb's 50,000 as a CSV file: text and sentiment, no time."""
    moods = made.moods(mid=0, low=0.5)
    texts = [t.replace("\n", "<br /><br />") for t in made.texts(moods)]
    return table(text("review", texts), answer("sentiment", [WORDS[m] for m in moods], moods), asks="time")


@shape()
def imdb_scraped(made: Made) -> Shape:
    """A scraper's IMDb reviews: ratings as 8/10, days as 3 May 2024, votes as a sentence."""
    moods = made.moods()
    return table(
        title("title", made.texts(moods, words=(1, 4))),
        answer("rating", [f"{r}/10" for r in made.by(moods, [1, 2, 3], [5, 6], [8, 9, 10])], moods),
        person("user", made.people()),
        time("review_date", made.moments(order=-1), lambda d: f"{d.day} {d:%B} {d.year}", grain="D"),
        text("review", made.texts(moods)),
        later("helpful", [f"{k} out of {k + 3} found this helpful." for k in made.counts()], "text|category"),
    )


@shape()
def airline_tweets(made: Made) -> Shape:
    """Crowdflower's airline tweets: ids ruined by a spreadsheet, and what the labeller gave as a reason."""
    moods, at = made.moods(low=0.6, mid=0.2), made.moments("2015-02-17", 8, order=-1)
    why = made.pick(["Customer Service Issue", "Late Flight", "Can't Tell"])
    return table(
        key("tweet_id", [f"5.{k}E+17" for k in made.whole(67, 71)]).but("left out"),
        answer("airline_sentiment", [WORDS[m] for m in moods], moods),
        later("airline_sentiment_confidence", made.pick([1.0, 0.6837, 0.3486, 0.6667])),
        leak("negativereason", [w if m == LOW else None for w, m in zip(why, moods, strict=True)]),
        leak("negativereason_confidence", [0.7 if m == LOW else None for m in moods], "number|category|constant"),
        category("airline", made.pick(["Virgin America", "United", "Delta"])),
        leak("airline_sentiment_gold", [WORDS[m] if k % 90 == 0 else None for k, m in enumerate(moods)], "category|text"),
        person("name", made.people()),
        later("retweet_count", made.counts(0.3)),
        text("text", ["@united " + t for t in made.texts(moods)]),
        loose("tweet_coord", made.gaps(made.pick(["[40.74, -73.98]", "[33.94, -118.4]"]), 0.9), "text|category|code|nested"),
        time("tweet_created", at, "%Y-%m-%d %H:%M:%S +0000"),
        loose("tweet_location", made.gaps(made.pick(["NYC", "Austin, TX", "somewhere"]), 0.3)),
        loose("user_timezone", made.pick(["Eastern Time (US & Canada)", "Pacific Time (US & Canada)"])),
    )


@shape()
def flipkart_products(made: Made) -> Shape:
    """Flipkart products with their reviews: rupees, a rating beside the sentiment made from it, no time."""
    moods = made.moods()
    stars = made.stars(moods)
    return table(
        loose("product_name", made.pick(["Candes 12 L Room Cooler", "boAt Bassheads", "Philips Iron"])),
        loose("product_price", made.pick(["3,999", "₹449", "1,199"]), "number|category|text|code"),
        answer("Rate", stars, moods).but("label|left out"),
        title("Review", made.by(moods, ["worst", "useless product"], ["fair"], ["super!", "awesome", "terrific"])),
        text("Summary", made.texts(moods)),
        answer("Sentiment", [WORDS[m] for m in moods], moods).but("label|left out"),
        asks="time",
    )


@shape()
def clothing(made: Made) -> Shape:
    """Women's e-commerce clothing reviews: an index without a name, a recommendation beside the rating, no time."""
    moods = made.moods()
    return table(
        later("", list(range(made.rows)), "id|code|number"),
        key("Clothing ID", made.pick([767, 1080, 1077, 1049, 847, 862])).but("left out|slices|categorical"),
        number("Age", made.whole(18, 83)),
        title("Title", made.gaps(made.texts(moods, words=(1, 4)), 0.15)),
        text("Review Text", made.texts(moods)),
        answer("Rating", made.stars(moods), moods),
        later("Recommended IND", [int(m == HIGH) for m in moods]),
        later("Positive Feedback Count", made.counts(2)),
        category("Division Name", made.pick(["General", "General Petite", "Initmates"])),
        asks="time",
        also={"": "Unnamed: 0"},
    )
