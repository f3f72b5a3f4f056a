"""The accounts of the world and how their profiles change with time.

Belongs here: who exists, ids and names, followers, audience. Posts belong to `posts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from social_assets.demo.platforms.world.clock import DAY
from social_assets.demo.platforms.world.draws import Draws

PLATFORMS = ("instagram", "facebook", "x", "tiktok", "youtube")

_FIRST = (
    "alder",
    "birch",
    "cedar",
    "fern",
    "hazel",
    "linden",
    "maple",
    "rowan",
    "sorrel",
    "willow",
)
_SECOND = (
    "coffee",
    "bikes",
    "books",
    "bread",
    "garden",
    "music",
    "pottery",
    "radio",
    "sports",
    "tea",
)
_COUNTRIES = ("GB", "US", "DE", "BR", "JP", "IN", "FR")
_CITIES = {
    "GB": "Leeds, England",
    "US": "Austin, Texas",
    "DE": "Bremen, Bremen",
    "BR": "Recife, Pernambuco",
    "JP": "Kobe, Hyogo",
    "IN": "Pune, Maharashtra",
    "FR": "Lille, Nord",
}
AGES = ("13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+")
GENDERS = ("F", "M", "U")


@dataclass(frozen=True, slots=True)
class SimulatedAccount:
    """An account of one platform; times are Unix seconds."""

    platform: str
    number: int
    seed: int
    id: str
    username: str
    name: str
    about: str
    country: str
    created: int
    begin: int
    first_followers: int
    followers_per_day: float
    following: int
    posts_per_day: float
    is_private: bool
    hides_followers: bool
    hides_likes: bool
    is_verified: bool
    deleted_at: int | None
    business_since: int
    """Instagram gives no insights of posts that are older."""

    def is_gone(self, now: float) -> bool:
        """Whether the account was deleted by then."""
        return self.deleted_at is not None and now >= self.deleted_at

    def followers(self, now: float) -> int:
        """Return the followers at a time: they grow, and fall a little every twelfth day or so."""
        days = max(0.0, (now - self.begin) / DAY)
        falls = int((days + self.number % 12) // 12)
        drop = falls * max(1, self.first_followers // 50)
        return max(0, int(self.first_followers + days * self.followers_per_day) - drop)

    def new_followers(self, day_end: int) -> int:
        """Return how many people began to follow in the day that ends then."""
        draws = Draws(self.seed, "new followers", self.id, day_end)
        return int(self.followers_per_day * (0.5 + draws.share()))


def made_account(seed: int, platform: str, number: int, begin: int) -> SimulatedAccount:
    """Return account `number` of a platform.

    Of each twenty, the 4th is private (X), the 6th hides its followers (YouTube), the 7th and 8th
    hide likes, the 9th is deleted at some time, the 11th became a business account later
    (Instagram).
    """
    draws = Draws(seed, platform, "account", number)
    first, second = draws.one_of(_FIRST), draws.one_of(_SECOND)
    country = draws.one_of(_COUNTRIES)
    peculiar = number % 20 if number > 3 else 0
    followers = 100 + int(draws.skewed(4_000))
    return SimulatedAccount(
        platform=platform,
        number=number,
        seed=seed,
        id=_account_id(seed, platform, number),
        username=f"{first}{second}{number}",
        name=f"{first} {second}".title(),
        about=f"{second.title()} of {_CITIES[country].split(',')[0]}",
        country=country,
        created=begin - draws.between(300, 3_000) * DAY,
        begin=begin,
        first_followers=followers,
        followers_per_day=followers * (0.001 + 0.01 * draws.share()),
        following=draws.between(5, 900),
        posts_per_day=0.3 + draws.skewed(0.9),
        is_private=platform == "x" and peculiar == 4,
        hides_followers=platform == "youtube" and peculiar == 6,
        hides_likes=peculiar in (7, 8),
        is_verified=draws.is_true(0.1),
        deleted_at=begin + draws.between(15, 30) * DAY if peculiar == 9 else None,
        business_since=begin + (5 * DAY if peculiar == 11 else -DAY),
    )


def _account_id(seed: int, platform: str, number: int) -> str:
    draws = Draws(seed, platform, "id", number)
    if platform == "instagram":
        return f"178414{number:011d}"
    if platform == "facebook":
        return f"1000{number:011d}"
    if platform == "x":
        return f"17{number:017d}"
    if platform == "tiktok":
        return draws.uuid()
    return "UC" + draws.letters(22)


@lru_cache(maxsize=4_096)
def audience_of(account: SimulatedAccount, day: int) -> dict[str, dict[str, int]]:
    """Return followers by `age,gender`, `country` and `city` on a day (Unix day); keys of several
    dimensions are joined by a comma.
    """
    followers = account.followers(day * DAY)
    draws = Draws(account.seed, "audience", account.id)
    ages = {f"{age},{gender}": draws.share() ** 2 for age in AGES for gender in GENDERS}
    weights = {
        name: draws.share() + (2.0 if name == account.country else 0.0) for name in _COUNTRIES
    }
    countries = _spread(followers, weights)
    cities = {_CITIES[name]: number * 2 // 3 for name, number in countries.items()}
    return {
        "age,gender": _spread(followers, ages),
        "country": countries,
        "city": {name: number for name, number in cities.items() if number},
    }


def _spread(total: int, weights: dict[str, float]) -> dict[str, int]:
    """Divide a total by weights; parts of nobody are left out, as the platforms do."""
    whole = sum(weights.values())
    parts = {name: int(total * weight / whole) for name, weight in weights.items()}
    return {name: part for name, part in parts.items() if part}
