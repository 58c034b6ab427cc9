"""Reviews that app stores and shop systems export: nested fields, several spellings of one time, replies."""

from __future__ import annotations

from datetime import timedelta

from tests.init.made_files import Csv, Json
from tests.init.made_shapes import *

ISO_Z = "%Y-%m-%dT%H:%M:%SZ"


def _versions(made: Made) -> list[str]:
    return made.gaps(made.pick(["1.9.2", "1.10", "1.10.1", "2.0", "2.1.0-beta", "2.1.0"]), 0.1)


@shape()
def play_console(made: Made) -> Shape:
    """Google Play Console's monthly reviews: UTF-16, times as text and as milliseconds, a reply for a third."""
    moods, at = made.moods(), made.moments(days=28)
    replied = made.later(at, 0.3)
    return table(
        constant("Package Name", "com.example.app"),
        loose("App Version Code", made.gaps(made.pick([1190, 1200, 1201, 1210]), 0.1), "code|category|number|version"),
        version("App Version Name", _versions(made)),
        category("Reviewer Language", made.pick(["en", "de", "pt", "hi"])),
        loose("Device", made.pick(["a52q", "beyond1", "crownlte", "OP4F2F", "violet"])),
        time("Review Submit Date and Time", at, ISO_Z).but("time|left out"),
        time("Review Submit Millis Since Epoch", at, "epoch ms").but("time|left out"),
        stamp("Review Last Update Date and Time", at, ISO_Z),
        stamp("Review Last Update Millis Since Epoch", at, "epoch ms"),
        answer("Star Rating", made.stars(moods), moods),
        title("Review Title", made.gaps(made.pick(["Good", "Bad app", "Nice one"]), 0.9)),
        text("Review Text", made.gaps(made.texts(moods), 0.05)),
        stamp("Developer Reply Date and Time", replied, ISO_Z),
        stamp("Developer Reply Millis Since Epoch", replied, "epoch ms"),
        later("Developer Reply Text", [r and "Thanks, please write to us" for r in replied], "text|constant|category"),
        url("Review Link", [f"http://play.google.com/console/developers/app/reviews?reviewId={u}" for u in made.uuids()])
        .but("id|left out", "url|id"),
        file=Csv(encoding="utf-16"),
    )


@shape()
def play_scraper_csv(made: Made) -> Shape:
    """google-play-scraper (Python) through pandas' to_csv."""
    moods, at = made.moods(), made.moments(order=-1)
    versions, replied = _versions(made), made.later(at, 0.5)
    return table(
        ident("reviewId", made.uuids()),
        person("userName", made.people()),
        url("userImage", [f"https://play-lh.example.com/a-/{h}" for h in made.hexes()]),
        text("content", made.texts(moods)),
        answer("score", made.stars(moods), moods),
        later("thumbsUpCount", made.counts()),
        version("reviewCreatedVersion", versions),
        time("at", at),
        later("replyContent", [r and "Hi, thank you for the feedback" for r in replied], "text|constant|category"),
        stamp("repliedAt", replied),
        version("appVersion", versions),
    )


@shape()
def play_scraper_json(made: Made) -> Shape:
    """google-play-scraper (node): a list of objects, the score a second time as text."""
    moods, at = made.moods(), made.moments(order=-1)
    stars, ids = made.stars(moods), made.uuids()
    return table(
        ident("id", ids),
        person("userName", made.people()),
        url("userImage", [f"https://play-lh.example.com/{h}" for h in made.hexes()]),
        time("date", at, "%Y-%m-%dT%H:%M:%S.000Z"),
        answer("score", stars, moods),
        leak("scoreText", [str(s) for s in stars]),
        url("url", [f"https://play.google.com/store/apps/details?id=x&reviewId={u}" for u in ids]),
        empty("title"),
        text("text", made.texts(moods)),
        stamp("replyDate", made.later(at, 0.3), "%Y-%m-%dT%H:%M:%S.000Z"),
        version("version", _versions(made)),
        later("thumbsUp", made.counts()),
        nested("criterias", [[]] * made.rows).but(kinds="nested|constant|empty"),
        file=Json(),
    )


@shape()
def app_store_feed(made: Made) -> Shape:
    """Apple's customer reviews feed (RSS as JSON): every field an object with a label, offsets of the west coast."""
    moods, at = made.moods(), made.moments(order=-1)
    return table(
        url("author.uri.label", [f"https://itunes.apple.com/us/reviews/id{k}" for k in made.whole(10**8, 10**9)]),
        person("author.name.label", made.people()),
        time("updated.label", at, lambda m: f"{m - timedelta(hours=7):%Y-%m-%dT%H:%M:%S}-07:00"),
        answer("im:rating.label", [str(s) for s in made.stars(moods)], moods),
        version("im:version.label", _versions(made)),
        ident("id.label", [str(10_900_000_000 + k * 37) for k in range(made.rows)]),
        title("title.label", made.pick(["Great", "Meh", "Broken again", "Love it"])),
        text("content.label", made.texts(moods)),
        constant("content.attributes.type", "text"),
        later("im:voteSum.label", [str(c) for c in made.counts(1)]),
        later("im:voteCount.label", [str(c) for c in made.counts(1)]),
        file=Json(path="feed.entry", beside=(("author", {"name": {"label": "iTunes Store"}}),)),
    )


@shape()
def app_store_connect(made: Made) -> Shape:
    """App Store Connect's API: data[].attributes.rating."""
    moods = made.moods()
    return table(
        constant("type", "customerReviews"),
        ident("id", made.uuids()),
        answer("attributes.rating", made.stars(moods), moods),
        title("attributes.title", made.pick(["Great", "Meh", "Broken again", "Love it"])),
        text("attributes.body", made.texts(moods)),
        person("attributes.reviewerNickname", made.people()),
        time("attributes.createdDate", made.moments(order=-1), "%Y-%m-%dT%H:%M:%S+00:00"),
        category("attributes.territory", made.pick(["USA", "DEU", "FRA", "BRA"])),
        file=Json(path="data", beside=(("meta", {"paging": {"total": 360}}),)),
    )


@shape()
def steam(made: Made) -> Shape:
    """Steam's review API: a list under `reviews`, epoch seconds, thumbs as true and false."""
    moods, at = made.moods(mid=0), made.moments(order=-1)
    return table(
        ident("recommendationid", [str(160_000_000 + 13 * k) for k in range(made.rows)]),
        key("author.steamid", [f"7656119{k}" for k in made.whole(10**9, 10**10)]),
        ordinal("author.num_games_owned", made.counts(80)).but("numeric|left out"),
        ordinal("author.playtime_at_review", made.counts(900)),
        later("author.playtime_forever", made.counts(2000)),
        constant("language", "english"),
        text("review", made.texts(moods)),
        time("timestamp_created", at, "epoch s"), stamp("timestamp_updated", at, "epoch s"),
        answer("voted_up", [m == HIGH for m in moods], moods),
        later("votes_up", made.counts()), later("votes_funny", made.counts(1)),
        later("weighted_vote_score", made.numbers(0.5, 0.1, 6)), later("comment_count", made.counts(0.5)),
        flag("steam_purchase", [bool(v) for v in made.whole(0, 2)]),
        flag("received_for_free", [bool(v) for v in made.whole(0, 2)]),
        file=Json(path="reviews", beside=(("success", 1), ("cursor", "AoJ4tey90tECcbOXSw=="))),
    )  # fmt: skip


@shape()
def google_business(made: Made) -> Shape:
    """Google's business profile reviews: stars as English words, nanoseconds in the times."""
    moods, at = made.moods(), made.moments(order=-1)
    nano = "%Y-%m-%dT%H:%M:%S.123456789Z"
    return table(
        url("reviewer.profilePhotoUrl", [f"https://lh3.example.com/{h}" for h in made.hexes()]),
        person("reviewer.displayName", made.people()),
        answer("starRating", made.by(moods, ["ONE", "TWO"], ["THREE"], ["FOUR", "FIVE"]), moods),
        text("comment", made.texts(moods)),
        time("createTime", at, nano), stamp("updateTime", at, nano),
        later("reviewReply.comment", made.gaps(["Thank you!"] * made.rows, 0.7), "text|constant|category"),
        stamp("reviewReply.updateTime", made.later(at, 0.3), nano),
        ident("name", [f"accounts/1/locations/2/reviews/{h}" for h in made.hexes()]),
        file=Json(path="reviews", absent=True),
    )  # fmt: skip


@shape()
def shopify_reviews(made: Made) -> Shape:
    """Judge.me's export of a Shopify shop: times with the word UTC behind them."""
    moods = made.moods()
    return table(
        title("title", made.gaps(made.texts(moods, words=(1, 4)), 0.3)),
        text("body", made.texts(moods)),
        answer("rating", made.stars(moods), moods),
        time("review_date", made.moments(order=-1), "%Y-%m-%d %H:%M:%S UTC"),
        category("source", made.pick(["email", "web", "admin"])),
        later("curated", made.pick(["ok", "spam", "not-yet"], [0.9, 0.03, 0.07])).but("left out|categorical|slices"),
        person("reviewer_name", made.people()),
        person("reviewer_email", [f"{h}@example.org" for h in made.hexes(8)]),
        key("product_id", made.pick([str(6_800_000_000_000 + k) for k in range(12)])).but("left out|slices|categorical"),
        loose("product_handle", made.pick(["blue-mug", "red-mug", "tea-tin"])),
        later("reply", made.gaps(["We are sorry"] * made.rows, 0.9), "text|constant|category"),
        url("picture_urls", made.gaps([f"https://cdn.example.com/{h}.jpg" for h in made.hexes(9)], 0.8)),
    )
