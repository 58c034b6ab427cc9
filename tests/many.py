"""How many examples hypothesis tries: all in `make test-full`, a part of them in `make test`."""

from hypothesis import settings


def examples(many: int) -> int:
    """`many` under the profile "full", else a quarter, but not under ten."""
    return many if settings.get_current_profile_name() == "full" else min(many, max(10, many // 4))
